//! A release with the shape of the earlier version: names, selectors, claims and logins are those that the platform declares of it; the programs are
//! those of this version.
//!
//! AuditFlow's chart 0.1.0 ran PostgreSQL 16. The release here runs 17, the older major version for which test clusters have an image: to PostgreSQL
//! 18 both are another major version, whose data it cannot read.

use std::fs;

use anyhow::{Context as _, ensure};
use e2e_kit::kubectl;
use e2e_kit::random;
use e2e_kit::release::Release;
use serde_json::{Value, json};
use tools::Template;
use vocabulary::{EarlierServer, EndToEndTest, Image, Kind, Reinstallation, Use};

use crate::roles::Roles;

/// The major version of the old database server.
pub(super) const MAJOR: &str = "17";

const DATABASE_IMAGE: Image = Image::new("postgres", MAJOR);

/// The password of every login of the old release. Nothing but this namespace has it.
const PASSWORD: &str = "old-password";

/// The user that services have at the old broker.
const BROKER_USER: &str = "old-user";

/// The UID of the old servers' images.
const SERVER_USER: u32 = 999;

/// Python program that waits until each address accepts connections.
const WAIT: &str = "\
import socket, sys, time
for address in sys.argv[1:]:
    host, port = address.split(':')
    while True:
        try:
            socket.create_connection((host, int(port)), 2).close()
            break
        except OSError:
            time.sleep(1)";

/// Python program that posts a body several times.
const POST: &str = "\
import sys, urllib.request
for _ in range(int(sys.argv[3])):
    request = urllib.request.Request(sys.argv[1], sys.argv[2].encode(), {'Content-Type': 'application/json'})
    urllib.request.urlopen(request, timeout=10).read()";

/// A release of the earlier version.
pub(super) struct OldRelease<'a> {
    pub(super) release: &'a Release<'a>,
    pub(super) version: &'static str,
    pub(super) reinstallation: &'static Reinstallation,
}

/// The claims of the old servers that have the names of claims of this chart.
pub(super) fn claims(release: &Release, reinstallation: &Reinstallation) -> Vec<String> {
    let claim = |server: &EarlierServer| {
        let name = format!("{}-{}-{}-0", server.claim?.template, release.name, server.stateful_set);
        (name == format!("data-{}-{}-0", release.name, server.server)).then_some(name)
    };
    reinstallation.servers.iter().filter_map(claim).collect()
}

impl OldRelease<'_> {
    /// Installs the release with a chart of its own, and waits until it is ready.
    pub(super) fn install(&self) -> anyhow::Result<()> {
        let context = self.release.namespace.context;
        let platform = context.platform.platform().name;
        let folder = context.folder("old-chart")?;
        fs::create_dir(folder.join("templates"))?;
        let chart = format!("apiVersion: v2\nname: {platform}\nversion: {}\n", self.version);
        fs::write(folder.join("Chart.yaml"), chart)?;
        let documents = self.objects()?.into_iter().map(|object| Ok(serde_json::to_string(&object)?));
        let documents = documents.collect::<anyhow::Result<Vec<_>>>()?.join("\n---\n");
        // The objects are final: Helm must find no action in them.
        fs::write(folder.join("templates/objects.yaml"), documents.replace("{{", "{{ \"{{\" }}"))?;
        self.release.apply(&self.release.arguments_of("install", &folder, &[], &[]), true)
    }

    /// The major version of this chart's database server.
    pub(super) fn new_major(&self) -> String {
        let servers = &self.release.namespace.context.platform.platform().backing;
        let database = servers.iter().find(|server| server.kind() == Kind::PostgreSql);
        database.map(|server| server.version().to_string()).unwrap_or_default()
    }

    /// Posts the body of the end-to-end test to the sender.
    pub(super) fn sends(&self) -> anyhow::Result<()> {
        let roles = Roles::of(self.release.namespace.context)?;
        let address =
            format!("http://127.0.0.1:{}{}", roles.test.request.endpoint.port.number, roles.test.request.path);
        let marker = format!("e2e-{}", random::suffix());
        let body = roles.fixture.body.replace(EndToEndTest::MARKER, &marker);
        let words = ["python3", "-c", POST, &address, &body, &roles.fixture.times.to_string()];
        let deployment = format!("deployment/{}-{}", self.release.name, roles.sender);
        kubectl::exec(&self.release.namespace.name, &deployment, &words)?.ok("the request to the sender")?;
        Ok(())
    }

    /// Stops the sender, which also sends by itself.
    pub(super) fn stop_sender(&self) -> anyhow::Result<()> {
        let sender = Roles::of(self.release.namespace.context)?.sender;
        let (name, namespace) = (format!("{}-{sender}", self.release.name), &self.release.namespace.name);
        kubectl::run(&["scale", "deployment", &name, "--replicas=0", "--namespace", namespace])?;
        let selector = format!("app.kubernetes.io/instance={},app.kubernetes.io/name={sender}", self.release.name);
        let wait = ["wait", "pod", "--for=delete", "--timeout=50s", "--selector", &selector, "--namespace", namespace];
        kubectl::run(&wait)?;
        Ok(())
    }

    /// All objects of the release.
    fn objects(&self) -> anyhow::Result<Vec<Value>> {
        let platform = self.release.namespace.context.platform.platform();
        let mut all = Vec::new();
        for server in self.reinstallation.servers {
            all.extend(self.server(server)?);
        }
        let replaced: Vec<&str> = self.reinstallation.servers.iter().map(|server| server.server.as_str()).collect();
        let lacking: Vec<_> =
            platform.backing.iter().filter(|server| !replaced.contains(&server.name().as_str())).collect();
        ensure!(lacking.is_empty(), "the earlier version declares no server for {}", lacking[0].name());
        let context = self.release.namespace.context;
        let values = context.values(std::slice::from_ref(&context.small));
        let values: Vec<_> = values.iter().map(camino::Utf8PathBuf::as_path).collect();
        let template = Template { chart: &context.chart, release: &self.release.name, values: &values, arguments: &[] };
        let manifest = context.helm4()?.template(&template)?.map_err(anyhow::Error::msg)?;
        let rendered = tools::objects(&manifest).map_err(anyhow::Error::msg)?;
        for service in &platform.services {
            let name = format!("{}-{}", self.release.name, service.name);
            let deployment = rendered.iter().find(|object| object.kind == "Deployment" && object.name == name);
            let deployment: Value =
                serde_yaml::from_str(&deployment.with_context(|| format!("no Deployment {name}"))?.text)?;
            all.extend(self.service(service, &deployment));
        }
        Ok(all)
    }

    /// The Deployment and Service of a service, made from its Deployment in this chart.
    fn service(&self, service: &vocabulary::Service, new: &Value) -> [Value; 2] {
        let name = format!("{}-{}", self.release.name, service.name);
        let labels = self.labels(service.name.as_str(), None);
        let pod = &new["spec"]["template"]["spec"];
        let mut container = pod["containers"][0].clone();
        for field in ["envFrom", "livenessProbe", "readinessProbe", "startupProbe"] {
            container[field] = Value::Null;
        }
        // Other volumes hold what this chart makes.
        let volumes: Vec<Value> =
            items(&pod["volumes"]).filter(|volume| volume["emptyDir"].is_object()).cloned().collect();
        let is_kept = |mount: &&Value| volumes.iter().any(|volume| volume["name"] == mount["name"]);
        container["volumeMounts"] = items(&pod["containers"][0]["volumeMounts"]).filter(is_kept).cloned().collect();
        let env = items(&pod["containers"][0]["env"]).map(|variable| self.of_old_host(variable));
        let logins = service.uses.iter().flat_map(|used| self.login(used));
        container["env"] = env.chain(logins).collect();
        container["readinessProbe"] = json!({ "tcpSocket": { "port": service.ports[0].number } });
        let addresses =
            service.uses.iter().filter_map(|used| used.client()).map(|client| self.address(client.backing.as_str()));
        let mut wait = vec!["python3".to_owned(), "-c".to_owned(), WAIT.to_owned()];
        wait.extend(addresses);
        let mut waiting = container.clone();
        for field in ["env", "ports", "readinessProbe", "command", "args"] {
            waiting[field] = Value::Null;
        }
        waiting["name"] = json!("wait");
        waiting["command"] = json!(wait);
        let ports: Vec<_> =
            service.ports.iter().map(|port| json!({ "name": port.name.as_str(), "port": port.number })).collect();
        [
            json!({
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name, "labels": labels },
                "spec": {
                    "replicas": 1, "selector": { "matchLabels": labels },
                    "template": { "metadata": { "labels": labels }, "spec": {
                        "automountServiceAccountToken": false, "enableServiceLinks": false,
                        "securityContext": pod["securityContext"], "volumes": volumes,
                        "initContainers": [waiting], "containers": [container],
                    } },
                },
            }),
            network_service(&name, &labels, &ports),
        ]
    }

    /// A literal variable of this chart, with the host of an old server in place of the new one.
    fn of_old_host(&self, variable: &Value) -> Value {
        let mut variable = variable.clone();
        let new_host =
            |server: &&EarlierServer| variable["value"] == format!("{}-{}", self.release.name, server.server);
        if let Some(server) = self.reinstallation.servers.iter().find(new_host) {
            variable["value"] = json!(format!("{}-{}", self.release.name, server.stateful_set));
        }
        variable
    }

    /// The variables with the old login of a use.
    fn login(&self, one: &Use) -> Vec<Value> {
        let variables = |user: &str, user_name: &str, password: &str| {
            vec![json!({ "name": user, "value": user_name }), json!({ "name": password, "value": PASSWORD })]
        };
        match one {
            Use::RabbitMq(client) => {
                variables(client.env.user.as_str(), BROKER_USER, client.env.password.name.as_str())
            }
            Use::PostgreSql(client) => {
                let server = self.reinstallation.servers.iter().find(|server| server.server == client.client.backing);
                let user = server.and_then(|server| server.login).map(|(user, _)| user).unwrap_or_default();
                variables(client.env.user.as_str(), user, client.env.password.name.as_str())
            }
            // The old cache takes every client.
            Use::Valkey(_) | Use::Call(_) => Vec::new(),
        }
    }

    /// The address of the old server in place of a server of this platform.
    fn address(&self, server: &str) -> String {
        let old = self.reinstallation.servers.iter().find(|old| old.server.as_str() == server);
        let host = old.map_or(server, |old| old.stateful_set);
        let servers = &self.release.namespace.context.platform.platform().backing;
        let port = servers.iter().find(|one| one.name().as_str() == server).map_or(0, |one| one.kind().port());
        format!("{}-{host}:{port}", self.release.name)
    }

    /// The StatefulSet of an old server, its Service, and what it reads.
    fn server(&self, old: &EarlierServer) -> anyhow::Result<Vec<Value>> {
        let context = self.release.namespace.context;
        let servers = &context.platform.platform().backing;
        let new = servers.iter().find(|server| server.name() == old.server).context("the server is declared")?;
        let name = format!("{}-{}", self.release.name, old.stateful_set);
        let labels = self.labels(old.server.as_str(), Some(old.claim.map_or("old", |claim| claim.component)));
        let port = new.kind().port();
        let secret = format!("{name}-old");
        let password = json!({ "secretKeyRef": { "name": secret, "key": "password" } });
        let (image, env, command, folder) = match new.kind() {
            Kind::PostgreSql => {
                let (_, variable) = old.login.context("the old server's login is declared")?;
                let env = json!([
                    { "name": variable.as_str(), "valueFrom": password },
                    // A folder of the volume, as in the images of chart 0.1.0.
                    { "name": "PGDATA", "value": "/var/lib/postgresql/data/data" },
                ]);
                (context.images.reference(&DATABASE_IMAGE), env, Value::Null, "/var/lib/postgresql/data")
            }
            Kind::RabbitMq => {
                let env = json!([
                    { "name": "RABBITMQ_DEFAULT_USER", "value": BROKER_USER },
                    { "name": "RABBITMQ_DEFAULT_PASS", "valueFrom": password },
                ]);
                (context.images.reference(&new.image()), env, Value::Null, "/var/lib/rabbitmq")
            }
            Kind::Valkey => {
                let command = json!(["valkey-server", "--save", "", "--protected-mode", "no"]);
                (context.images.reference(&new.image()), json!([]), command, "/data")
            }
        };
        let mut volumes = vec![json!({ "name": "init", "configMap": { "name": secret } })];
        let mut templates = Vec::new();
        let data = if let Some(claim) = old.claim {
            templates.push(json!({
                "metadata": { "name": claim.template },
                "spec": { "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } } },
            }));
            claim.template
        } else {
            volumes.push(json!({ "name": "scratch", "emptyDir": {} }));
            "scratch"
        };
        let mounts = json!([
            { "name": data, "mountPath": folder },
            { "name": "init", "mountPath": "/docker-entrypoint-initdb.d" },
        ]);
        let container = json!({
            "name": old.stateful_set, "image": image, "imagePullPolicy": "IfNotPresent", "command": command, "env": env,
            "ports": [{ "containerPort": port }], "volumeMounts": mounts, "readinessProbe": { "tcpSocket": { "port": port } },
            "securityContext": { "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } },
        });
        let stateful_set = json!({
            "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": { "name": name, "labels": labels },
            "spec": {
                "serviceName": name, "replicas": 1, "selector": { "matchLabels": labels }, "volumeClaimTemplates": templates,
                "template": { "metadata": { "labels": labels }, "spec": {
                    "automountServiceAccountToken": false, "enableServiceLinks": false, "terminationGracePeriodSeconds": 20,
                    "securityContext": {
                        "runAsNonRoot": true, "runAsUser": SERVER_USER, "runAsGroup": SERVER_USER, "fsGroup": SERVER_USER,
                        "seccompProfile": { "type": "RuntimeDefault" },
                    },
                    "containers": [container], "volumes": volumes,
                } },
            },
        });
        let init = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": secret },
            "data": { "old.sql": self.sql(old) },
        });
        let password = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": secret }, "stringData": { "password": PASSWORD },
        });
        let service = network_service(&name, &labels, &[json!({ "name": "main", "port": port })]);
        Ok(vec![password, init, stateful_set, service])
    }

    /// Creates the owner of the databases, without further rights, and the databases.
    fn sql(&self, old: &EarlierServer) -> String {
        let Some((user, _)) = old.login else { return String::new() };
        let services = &self.release.namespace.context.platform.platform().services;
        let databases = services.iter().flat_map(|service| service.uses).filter_map(|used| match used {
            Use::PostgreSql(client) if client.client.backing == old.server => Some(client.database.database.name),
            _ => None,
        });
        let create = databases.map(|database| format!("CREATE DATABASE {database} OWNER {user};\n"));
        format!("CREATE ROLE {user} LOGIN PASSWORD '{PASSWORD}';\n{}", create.collect::<String>())
    }

    /// The labels of objects and selectors. Those of services have no component.
    fn labels(&self, name: &str, component: Option<&str>) -> Value {
        let mut labels = json!({ "app.kubernetes.io/name": name, "app.kubernetes.io/instance": self.release.name });
        if let Some(component) = component {
            labels["app.kubernetes.io/component"] = json!(component);
        }
        labels
    }
}

fn network_service(name: &str, labels: &Value, ports: &[Value]) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": name, "labels": labels },
        "spec": { "selector": labels, "ports": ports },
    })
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}
