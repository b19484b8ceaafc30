// Rules for the manifests beyond what the API requires, and defects that must violate them.

const workloads = ["Deployment", "StatefulSet", "DaemonSet", "Job"];
const secretKeys = ["auth_token", "api_secret", "api_token", "metrics_token"];

function within(labels, selector) {
  return Object.entries(selector ?? {}).every(([key, value]) => labels[key] === value);
}

// The rules that a set of objects violates, in words. `complete` means that the objects are an
// overlay that can be installed.
export function brokenRules(objects, complete) {
  const broken = [];
  const of = (kind) => objects.filter((object) => object.kind === kind);
  const pods = objects.filter((object) => workloads.includes(object.kind));
  const config = of("ConfigMap").map((map) => map.data?.["rollcalld.json"]).find(Boolean);
  const settings = config && JSON.parse(config);

  for (const secret of of("Secret")) broken.push(`Secret ${secret.metadata.name}: secrets are not for YAML`);

  for (const workload of pods) {
    const spec = workload.spec.template.spec;
    const say = (text) => broken.push(`${workload.kind} ${workload.metadata.name}: ${text}`);
    if (spec.automountServiceAccountToken !== false) say("mounts a service account token");
    if (spec.securityContext?.runAsNonRoot !== true || !(spec.securityContext?.runAsUser > 0)) say("may run as root");
    if (spec.securityContext?.seccompProfile?.type !== "RuntimeDefault") say("has no seccomp profile");
    if (spec.hostNetwork || spec.hostPID || spec.hostIPC) say("shares the node's namespaces");
    for (const volume of spec.volumes ?? []) if (volume.hostPath) say(`mounts the node's ${volume.hostPath.path}`);
    for (const container of spec.containers) {
      const may = container.securityContext ?? {};
      if (may.allowPrivilegeEscalation !== false || may.privileged) say("may gain privileges");
      if (may.readOnlyRootFilesystem !== true) say("may write to its root file system");
      if (!may.capabilities?.drop?.includes("ALL") || may.capabilities.add) say("has capabilities");
      if (!/(:[^:/]+|@sha256:[0-9a-f]{64})$/.test(container.image) || /:latest$/.test(container.image)) {
        say(`image ${container.image} may be another one tomorrow`);
      }
      for (const resource of ["cpu", "memory"]) {
        if (!container.resources?.requests?.[resource]) say(`requests no ${resource}`);
        if (!container.resources?.limits?.[resource]) say(`has no limit of ${resource}`);
      }
      for (const probe of ["readinessProbe", "livenessProbe"]) if (!container[probe]) say(`has no ${probe}`);
      for (const variable of container.env ?? []) {
        if (/token|secret|password|key/i.test(variable.name) && variable.value !== undefined) {
          say(`${variable.name} stands in YAML`);
        }
      }
      const rest = spec.terminationGracePeriodSeconds - (container.lifecycle?.preStop?.sleep?.seconds ?? 0);
      if (workload.metadata.name === "rollcalld" && settings && !(rest >= settings.drain_timeout_seconds + 10)) {
        say(`is killed ${rest} s after SIGTERM, and takes ${settings.drain_timeout_seconds} s and 10 s to drain`);
      }
    }
  }

  // The pods that an object selects; there must be some, with the ports that it uses.
  const select = (object, selector, ports = []) => {
    const say = (text) => broken.push(`${object.kind} ${object.metadata.name}: ${text}`);
    const selected = pods.filter((workload) => within(workload.spec.template.metadata.labels, selector));
    if (selected.length === 0) say("selects no pod");
    const names = selected.flatMap((workload) => workload.spec.template.spec.containers)
      .flatMap((container) => container.ports ?? []).map(({ name }) => name);
    for (const port of ports) if (!names.includes(port)) say(`no container has the port ${port}`);
  };
  for (const service of of("Service")) {
    select(service, service.spec.selector, service.spec.ports.map(({ targetPort }) => targetPort));
  }
  for (const budget of of("PodDisruptionBudget")) select(budget, budget.spec.selector.matchLabels);
  for (const monitor of of("PodMonitor")) {
    select(monitor, monitor.spec.selector.matchLabels, monitor.spec.podMetricsEndpoints.map(({ port }) => port));
  }
  for (const policy of of("NetworkPolicy")) {
    const ports = (policy.spec.ingress ?? []).flatMap((rule) => rule.ports ?? []).map(({ port }) => port);
    select(policy, policy.spec.podSelector.matchLabels, ports);
  }
  for (const scaler of of("HorizontalPodAutoscaler")) {
    const { kind, name } = scaler.spec.scaleTargetRef;
    const target = pods.find((workload) => workload.kind === kind && workload.metadata.name === name);
    if (!target) broken.push(`HorizontalPodAutoscaler ${scaler.metadata.name}: there is no ${kind} ${name}`);
    if (target?.spec.replicas !== undefined) broken.push(`${kind} ${name}: its replicas are the autoscaler's to say`);
  }

  if (!settings) {
    broken.push("rollcalld.json is missing");
    return broken;
  }
  for (const upstream of [settings, ...settings.upstreams]) {
    for (const key of secretKeys) {
      if (typeof upstream[key] === "string" && upstream[key] !== "simulator") {
        broken.push(`rollcalld.json: ${key} stands in YAML`);
      }
    }
  }
  const rollcalld = pods.find((workload) => workload.metadata.name === "rollcalld")?.spec.template.spec;
  const mounts = rollcalld?.containers[0].volumeMounts.map(({ mountPath }) => mountPath) ?? [];
  if (complete) {
    // Every file in the configuration must be on a volume, and TLS must be either complete or
    // absent.
    for (const [, path] of config.matchAll(/"(\/[^"]+)"/g)) {
      if (!mounts.some((mount) => path.startsWith(mount + "/"))) broken.push(`rollcalld.json: nothing is mounted at ${path}`);
    }
    if (mounts.includes("/etc/rollcall/tls") !== Boolean(settings.tls)) {
      broken.push("rollcalld.json: `tls` needs the component mtls");
    }
    if (settings.tls && JSON.stringify(rollcalld).includes('"grpc":{"port"')) {
      broken.push("gRPC probes do not support TLS");
    }
  }
  return broken;
}

const container = (deployment) => deployment.spec.template.spec.containers[0];
const pod = (deployment) => deployment.spec.template.spec;

// [defect, rendering, kind of object, change of it]: each must be rejected because of its fields or
// values.
export const schemaBreaks = [
  ["an unknown field of a container", "overlays-demo", "Deployment", (d) => (container(d).readynessProbe = {})],
  ["an unknown field of a pod", "overlays-demo", "Deployment", (d) => (pod(d).runAsNonRoot = true)],
  ["an unknown field deep down", "overlays-demo", "Deployment", (d) => (container(d).lifecycle.preStop.sleep.second = 1)],
  ["a number for a string", "overlays-demo", "Deployment", (d) => (container(d).args = [1])],
  ["a string for a number", "overlays-demo", "Deployment", (d) => (d.spec.replicas = "3")],
  ["an invalid quantity", "overlays-demo", "Deployment", (d) => (container(d).resources.limits.memory = "lots")],
  ["an invalid protocol", "overlays-demo", "Service", (s) => (s.spec.ports[0].protocol = "HTTP")],
  ["a missing selector", "overlays-demo", "Deployment", (d) => delete d.spec.selector],
  ["a removed API version", "base", "PodDisruptionBudget", (b) => (b.apiVersion = "policy/v1beta1")],
  ["an unknown kind", "base", "HorizontalPodAutoscaler", (h) => (h.kind = "HorizontalAutoscaler")],
  ["an unknown field of the autoscaler", "base", "HorizontalPodAutoscaler", (h) => (h.spec.minPods = 1)],
  ["a certificate without an issuer", "overlays-production", "Certificate", (c) => delete c.spec.issuerRef],
  ["an unknown field of a certificate", "overlays-production", "Certificate", (c) => (c.spec.dnsName = "rollcalld")],
  ["an unknown field of a pod monitor", "overlays-production", "PodMonitor", (m) => (m.spec.endpoints = [])],
  ["an unknown field of a network policy", "overlays-production", "NetworkPolicy", (n) => (n.spec.inbound = [])],
];

// [defect, rendering, change by find(kind, name) and all objects]: each must violate a rule.
export const ruleBreaks = [
  ["root", "overlays-demo", (find) => (pod(find("Deployment")).securityContext.runAsUser = 0)],
  ["root if the image says so", "overlays-demo", (find) => delete pod(find("Deployment")).securityContext.runAsNonRoot],
  ["root in the simulator", "overlays-demo", (find) => delete pod(find("Deployment", "simulator")).securityContext],
  ["no seccomp profile", "overlays-demo", (find) => delete pod(find("Deployment")).securityContext.seccompProfile],
  ["the node's network", "overlays-demo", (find) => (pod(find("Deployment")).hostNetwork = true)],
  ["the node's files", "overlays-demo", (find) => pod(find("Deployment")).volumes.push({ name: "x", hostPath: { path: "/" } })],
  ["a token of the service account", "overlays-demo", (find) => delete pod(find("Deployment")).automountServiceAccountToken],
  ["privileges", "overlays-demo", (find) => (container(find("Deployment")).securityContext.privileged = true)],
  ["capabilities", "overlays-demo", (find) => (container(find("Deployment")).securityContext.capabilities.add = ["NET_RAW"])],
  ["a writable root", "overlays-demo", (find) => delete container(find("Deployment")).securityContext.readOnlyRootFilesystem],
  ["the latest image", "overlays-demo", (find) => (container(find("Deployment")).image = "rollcalld:latest")],
  ["an image without a tag", "overlays-demo", (find) => (container(find("Deployment")).image = "registry:5000/rollcalld")],
  ["no memory limit", "overlays-demo", (find) => delete container(find("Deployment")).resources.limits.memory],
  ["no request", "overlays-demo", (find) => delete container(find("Deployment")).resources.requests.cpu],
  ["no readiness probe", "overlays-demo", (find) => delete container(find("Deployment")).readinessProbe],
  ["no liveness probe", "overlays-demo", (find) => delete container(find("Deployment")).livenessProbe],
  ["a secret in a variable", "overlays-demo", (find) => (container(find("Deployment")).env = [{ name: "AUTH_TOKEN", value: "x" }])],
  ["too little time to drain", "overlays-production", (find) => (pod(find("Deployment")).terminationGracePeriodSeconds = 30)],
  ["a Secret", "overlays-demo", (find, all) => all.push({ apiVersion: "v1", kind: "Secret", metadata: { name: "x" } })],
  ["a secret in rollcalld.json", "overlays-production", (find) => {
    const map = find("ConfigMap");
    map.data["rollcalld.json"] = map.data["rollcalld.json"].replace(/\{"file": "[^"]*"\}/, '"hunter2"');
  }],
  ["a missing file", "overlays-production", (find) => {
    const mounts = container(find("Deployment")).volumeMounts;
    mounts.splice(mounts.findIndex(({ mountPath }) => mountPath === "/etc/rollcall/policy"), 1);
  }],
  ["a certificate that is not used", "overlays-demo", (find) => {
    container(find("Deployment")).volumeMounts.push({ name: "tls", mountPath: "/etc/rollcall/tls" });
  }],
  ["gRPC probes with TLS", "overlays-production", (find) => (container(find("Deployment")).livenessProbe = { grpc: { port: 50051 } })],
  ["a Service without pods", "overlays-demo", (find) => (find("Service").spec.selector = { app: "rollcalld" })],
  ["an unknown port", "overlays-demo", (find) => (find("Service").spec.ports[0].targetPort = "grcp")],
  ["a port that only another pod has", "overlays-demo", (find) => (find("Service").spec.ports[0].targetPort = "http")],
  ["a port without metrics", "overlays-production", (find) => (find("PodMonitor").spec.podMetricsEndpoints[0].port = "metric")],
  ["a gRPC port closed by the network policy", "overlays-production", (find) => (find("NetworkPolicy").spec.ingress[0].ports[0].port = "grcp")],
  ["a metrics port closed by the network policy", "overlays-production", (find) => (find("NetworkPolicy").spec.ingress[1].ports[0].port = "metric")],
  ["a budget without pods", "base", (find) => (find("PodDisruptionBudget").spec.selector.matchLabels = { app: "x" })],
  ["an autoscaler of nothing", "base", (find) => (find("HorizontalPodAutoscaler").spec.scaleTargetRef.name = "x")],
  ["replicas beside an autoscaler", "base", (find) => (find("Deployment").spec.replicas = 2)],
];
