package example;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import io.grpc.CallCredentials;
import io.grpc.ChannelCredentials;
import io.grpc.CompositeChannelCredentials;
import io.grpc.Context;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.protobuf.StatusProto;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.concurrent.Callable;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import rollcall.v1.ConferenceParticipantSummariesQuery;
import rollcall.v1.ConferenceParticipantSummary;
import rollcall.v1.ListParticipantsRequest;
import rollcall.v1.ListParticipantsResponse;
import rollcall.v1.Participant;
import rollcall.v1.ParticipantServiceGrpc;
import rollcall.v1.UnrecognizedValue;

/**
 * Lists the participants of a conference: each one's sid and outbound queue length.
 *
 * <p>ROLLCALL_SERVER is the service's address (localhost:50051). If it uses TLS, ROLLCALL_CA_FILE
 * names the certificates to trust, and ROLLCALL_TOKEN_FILE a file with the caller's token.
 */
public final class ListParticipants implements Callable<Integer> {
  @Parameters(paramLabel = "CONFERENCE")
  private String conference;

  @Option(names = "--timeout", paramLabel = "SECONDS")
  private double timeout = 300;

  @Option(names = "--stop-after", description = "Cancel the call after this many participants")
  private long stopAfter;

  @Option(names = "--resume-token", description = "Resume after the participant it came with")
  private String token = "";

  private long count;

  private static ManagedChannel connect() throws IOException {
    String server = System.getenv().getOrDefault("ROLLCALL_SERVER", "localhost:50051");
    String caFile = System.getenv("ROLLCALL_CA_FILE");
    String tokenFile = System.getenv("ROLLCALL_TOKEN_FILE");
    ChannelCredentials credentials = InsecureChannelCredentials.create();
    if (caFile != null) {
      credentials = TlsChannelCredentials.newBuilder().trustManager(new File(caFile)).build();
      if (tokenFile != null) {
        Bearer bearer = new Bearer(Files.readString(Path.of(tokenFile)).strip());
        credentials = CompositeChannelCredentials.create(credentials, bearer);
      }
    }
    return Grpc.newChannelBuilder(server, credentials).build();
  }

  /** A token that is sent with each call. */
  private static final class Bearer extends CallCredentials {
    private final Metadata metadata = new Metadata();

    Bearer(String token) {
      metadata.put(
          Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + token);
    }

    @Override
    public void applyRequestMetadata(RequestInfo request, Executor executor, MetadataApplier call) {
      call.apply(metadata);
    }
  }

  /** The number, or what the provider sent instead of one. */
  private static String queueLength(Participant participant) {
    String field = "outbound_queue_length";
    ConferenceParticipantSummary summary = participant.getConferenceParticipantSummary();
    if (summary.hasOutboundQueueLength()) {
      return Long.toString(summary.getOutboundQueueLength());
    }
    if (participant.getNullFields().getPathsList().contains(field)) {
      return "null";
    }
    for (UnrecognizedValue value : participant.getUnrecognizedList()) {
      if (value.getPath().equals(field)) {
        return "unrecognized " + value.getJson();
      }
    }
    return "absent";
  }

  /** The status, and from its details the reason, which programs can act on. */
  private static String describe(StatusRuntimeException error)
      throws InvalidProtocolBufferException {
    StringBuilder text = new StringBuilder();
    text.append(error.getStatus().getCode());
    text.append(": ").append(error.getStatus().getDescription());
    for (Any detail : StatusProto.fromThrowable(error).getDetailsList()) {
      if (detail.is(ErrorInfo.class)) {
        ErrorInfo info = detail.unpack(ErrorInfo.class);
        text.append("\nreason ").append(info.getReason());
        // For a reason that this program does not know, `retry` says whether to call again.
        text.append(", retry ").append(info.getMetadataOrDefault("retry", ""));
        text.append(", request ").append(info.getMetadataOrDefault("request_id", ""));
      }
    }
    return text.toString();
  }

  /** Prints the list and returns whether it is complete. Leaving it early cancels the call. */
  private boolean list(ManagedChannel channel) throws Exception {
    ListParticipantsRequest request =
        ListParticipantsRequest.newBuilder()
            .setConferenceParticipantSummaries(
                ConferenceParticipantSummariesQuery.newBuilder().setConferenceSid(conference))
            .setResumeToken(token)
            .build();
    try (Context.CancellableContext context = Context.current().withCancellation()) {
      return context.call(
          () -> {
            Iterator<ListParticipantsResponse> responses =
                ParticipantServiceGrpc.newBlockingStub(channel)
                    .withDeadlineAfter((long) (timeout * 1000), TimeUnit.MILLISECONDS)
                    .listParticipants(request);
            while (responses.hasNext()) {
              ListParticipantsResponse response = responses.next();
              Participant participant = response.getParticipant();
              String sid = participant.getConferenceParticipantSummary().getParticipantSid();
              System.out.println(sid + "\t" + queueLength(participant));
              token = response.getResumeToken();
              if (++count == stopAfter) {
                return false;
              }
            }
            return true;
          });
    }
  }

  @Override
  public Integer call() throws Exception {
    ManagedChannel channel = connect();
    int exitCode = 0;
    try {
      if (list(channel)) {
        System.err.println("complete: " + count + " participants");
        return 0;
      }
    } catch (StatusRuntimeException error) {
      System.err.println(describe(error));
      exitCode = 1;
    } finally {
      channel.shutdown().awaitTermination(5, TimeUnit.SECONDS);
    }
    if (!token.isEmpty()) {
      System.err.println("after " + count + " participants, resume with --resume-token " + token);
    }
    return exitCode;
  }

  public static void main(String[] arguments) {
    System.exit(new CommandLine(new ListParticipants()).execute(arguments));
  }
}
