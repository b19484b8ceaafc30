// Lists the participants of a conference: each one's sid and outbound queue length.
//
// ROLLCALL_SERVER is the service's address (localhost:50051). If it uses TLS, ROLLCALL_CA_FILE
// names the certificates to trust, and ROLLCALL_TOKEN_FILE a file with the caller's token.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	rollcallv1 "example.com/listparticipants/rollcall/v1"
)

//go:generate go build -o bin/ google.golang.org/protobuf/cmd/protoc-gen-go google.golang.org/grpc/cmd/protoc-gen-go-grpc
//go:generate sh -c "PATH=$PWD/bin:$PATH protoc -I ../../../proto --go_out=. --go-grpc_out=. ../../../proto/rollcall/v1/*.proto"

// bearer is a token that is sent with each call, over TLS only.
type bearer string

func (token bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(token)}, nil
}

func (bearer) RequireTransportSecurity() bool { return true }

func connect() (*grpc.ClientConn, error) {
	server := os.Getenv("ROLLCALL_SERVER")
	if server == "" {
		server = "localhost:50051"
	}
	caFile, tokenFile := os.Getenv("ROLLCALL_CA_FILE"), os.Getenv("ROLLCALL_TOKEN_FILE")
	if caFile == "" {
		return grpc.NewClient(server, grpc.WithTransportCredentials(insecure.NewCredentials()))
	}
	tls, err := credentials.NewClientTLSFromFile(caFile, "")
	if err != nil {
		return nil, err
	}
	options := []grpc.DialOption{grpc.WithTransportCredentials(tls)}
	if tokenFile != "" {
		token, err := os.ReadFile(tokenFile)
		if err != nil {
			return nil, err
		}
		options = append(options, grpc.WithPerRPCCredentials(bearer(strings.TrimSpace(string(token)))))
	}
	return grpc.NewClient(server, options...)
}

// queueLength returns the number, or what the provider sent instead of one.
func queueLength(participant *rollcallv1.Participant) string {
	const field = "outbound_queue_length"
	if length := participant.GetConferenceParticipantSummary().OutboundQueueLength; length != nil {
		return fmt.Sprint(*length)
	}
	for _, path := range participant.GetNullFields().GetPaths() {
		if path == field {
			return "null"
		}
	}
	for _, value := range participant.GetUnrecognized() {
		if value.GetPath() == field {
			return "unrecognized " + value.GetJson()
		}
	}
	return "absent"
}

// describe returns the status, and from its details the reason, which programs can act on.
func describe(err error) string {
	failure := status.Convert(err)
	text := fmt.Sprintf("%s: %s", failure.Code(), failure.Message())
	for _, detail := range failure.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			// For a reason that this program does not know, "retry" says whether to call again.
			facts := info.GetMetadata()
			text += fmt.Sprintf("\nreason %s, retry %s, request %s", info.GetReason(), facts["retry"], facts["request_id"])
		}
	}
	return text
}

var (
	timeout     = flag.Duration("timeout", 5*time.Minute, "deadline of the list")
	stopAfter   = flag.Int("stop-after", 0, "cancel the call after this many participants")
	resumeToken = flag.String("resume-token", "", "resume after the participant that came with it")
)

// list prints the list. It returns the number of participants and the token to resume with.
func list(client rollcallv1.ParticipantServiceClient, conference string) (count int, token string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel() // Also ends the call if we return early.

	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	request := &rollcallv1.ListParticipantsRequest{
		Query: &rollcallv1.ListParticipantsRequest_ConferenceParticipantSummaries{
			ConferenceParticipantSummaries: &rollcallv1.ConferenceParticipantSummariesQuery{
				ConferenceSid: conference,
			},
		},
	}
	token = *resumeToken
	if token != "" {
		request.Start = &rollcallv1.ListParticipantsRequest_ResumeToken{ResumeToken: token}
	}
	stream, err := client.ListParticipants(ctx, request)
	if err != nil {
		return count, token, err
	}
	for {
		response, err := stream.Recv()
		if err != nil {
			return count, token, err // io.EOF if the list is complete.
		}
		participant := response.GetParticipant()
		sid := participant.GetConferenceParticipantSummary().GetParticipantSid()
		fmt.Fprintf(out, "%s\t%s\n", sid, queueLength(participant))
		count, token = count+1, response.GetResumeToken()
		if count == *stopAfter {
			return count, token, nil
		}
	}
}

func main() {
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: listparticipants [options] CONFERENCE")
		os.Exit(2)
	}
	conn, err := connect()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	count, token, err := list(rollcallv1.NewParticipantServiceClient(conn), flag.Arg(0))
	if errors.Is(err, io.EOF) {
		fmt.Fprintf(os.Stderr, "complete: %d participants\n", count)
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, describe(err))
	}
	if token != "" {
		fmt.Fprintf(os.Stderr, "after %d participants, resume with --resume-token %s\n", count, token)
	}
	if err != nil {
		os.Exit(1)
	}
}
