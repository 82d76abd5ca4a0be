//! What follows from its uses: rights, paths, tests.

use second_platform::{ADMIN, END_TO_END, SHIPPER, SHOP_SERVICE, WEB, platform};
use serde_json::{Value, json};
use tools::Tool;
use vocabulary::{
    AmqpClient, Backing, CacheEnv, CacheLogin, Health, Image, Platform, Python3, QueueUse, Resources, Service,
    ServiceName, Tests, Use, Valkey, cpu, keys, memory, variable,
};

use super::resolved;
use crate::harness::{OnDisk, helm, read_by_helm};

/// The release's object of that kind, by its name without the release's.
fn object<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let is = |o: &&Value| o["kind"] == kind && o["metadata"]["name"] == format!("r-{name}");
    objects.iter().find(is).unwrap_or_else(|| panic!("there is no {kind} {name}"))
}

#[test]
fn each_login_can_do_what_its_uses_need_and_nothing_else() {
    let on_disk = OnDisk::of(&resolved());
    let helm = helm(Tool::BatchHelm4);
    let manifest = on_disk.render(&helm, None, &[]).expect("it renders");
    let objects = read_by_helm(&helm, &manifest);
    let object = |kind: &str, name: &str| object(&objects, kind, name);
    let definitions = |broker: &str| -> Value {
        let data = &object("ConfigMap", &format!("{broker}-provisioning"))["data"];
        serde_json::from_str(data["definitions.json"].as_str().expect("a text")).expect("JSON")
    };
    let logins = |server: &str| -> Vec<String> {
        let data = &object("ConfigMap", &format!("{server}-provisioning"))["data"];
        data["logins"].as_str().expect("a text").lines().map(str::to_owned).collect()
    };
    let orders = definitions("orders-broker");
    assert_eq!(
        orders["permissions"],
        json!([
            { "vhost": "/", "user": "administrator", "configure": ".*", "write": ".*", "read": ".*" },
            { "vhost": "/", "user": "default.r.shop.r1", "configure": r"^orders\.placed$", "write": "^order-events$", "read": "^$" },
            {
                "vhost": "/", "user": "default.r.shipper.r1", "configure": r"^(orders\.placed|orders\.shipped)$",
                "write": r"^amq\.default$", "read": r"^orders\.placed$"
            },
        ])
    );
    // It declares its queue passively, so the chart makes the queue and the login needs no configure.
    assert_eq!(definitions("meters")["queues"][0]["name"], "readings");
    assert_eq!(
        definitions("meters")["permissions"][1],
        json!({ "vhost": "/", "user": "default.r.shipper.r1", "configure": "^$", "write": "^$", "read": "^readings$" })
    );
    assert_eq!(orders["bindings"][0]["source"], "order-events");
    assert_eq!(orders["bindings"][0]["routing_key"], "orders.placed");
    assert_eq!(logins("meters"), ["shipper.r1 default.r.shipper.r1"]);
    assert_eq!(
        logins("sessions"),
        [
            "- probe resetchannels -@all +ping",
            "shop.r1 default.r.shop.r1 resetchannels -@all ~session:* +get +set +del +ping +hello",
            "- default off",
        ]
    );

    let keys: Vec<_> =
        object("Secret", "shop-inline-r1.1.1")["stringData"].as_object().expect("a map").keys().cloned().collect();
    assert_eq!(keys, ["CACHE_PASSWORD", "CACHE_USER", "MQ_PASSWORD", "MQ_USER", "PAYMENT_TOKEN"]);
    assert_eq!(
        object("Role", "shipper")["rules"],
        json!([
            { "apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"], "resourceNames": ["routes"] },
            { "apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update"] },
        ])
    );
    let pod = |name: &str| &object("Deployment", name)["spec"]["template"]["spec"];
    assert_eq!(pod("shipper")["automountServiceAccountToken"], true);
    assert_eq!(pod("shop")["automountServiceAccountToken"], false);
    // Who may ask the API server can reach it; nobody else can.
    let egress = |name: &str| object("NetworkPolicy", name)["spec"]["egress"].to_string();
    assert!(egress("shipper").contains(r#""cidr":"192.0.2.1/32""#) && egress("shipper").contains("6443"));
    assert!(!egress("shop").contains("ipBlock"));
    // Of its two brokers, on one port, the shipper reopens one by itself: the probe looks at the other alone.
    let probe = pod("shipper")["containers"][0]["livenessProbe"]["exec"]["command"].clone();
    assert_eq!(
        probe,
        json!([
            "python3",
            "-ISB",
            "/opt/connections/probe.py",
            "alive",
            "BROKER_HOST",
            "BROKER_PORT",
            "others",
            "METER_HOST",
            "METER_PORT"
        ])
    );
    let waits = pod("shipper")["initContainers"].as_array().expect("a list");
    let waiting: Vec<_> = waits.iter().map(|container| container["name"].as_str().expect("a name")).collect();
    assert_eq!(waiting, ["wait-for-orders-broker"]);
}

#[test]
fn the_paths_are_those_of_the_declared_uses() {
    let paths = generator::traffic(&resolved()).paths;
    let shown: Vec<_> = paths.iter().map(|p| format!("{} → {}:{}", p.from, p.to, p.port)).collect();
    assert_eq!(
        shown,
        [
            "shipper → meters:5672",
            "shipper → orders-broker:5672",
            "shipper → shop:9000",
            "shipper → shop:9001",
            "shop → orders-broker:5672",
            "shop → sessions:6379",
        ]
    );
}

#[test]
fn the_traffic_is_all_that_hangs_on_the_declaration() {
    let traffic = generator::traffic(&resolved());
    let port = |of: &generator::ComponentPort| format!("{}:{}", of.of, of.number);
    assert_eq!(traffic.identity_label, "shop-floor/identity");
    assert_eq!(traffic.exposed_ports.iter().map(port).collect::<Vec<_>>(), ["shop:9000"]);
    assert_eq!(traffic.metrics.iter().map(port).collect::<Vec<_>>(), ["orders-broker:15692", "meters:15692"]);
    assert_eq!(traffic.kubernetes, ["shipper"]);
    let shown = |p: &generator::AccessPath| format!("{} → {}:{}", p.from, p.to, p.port);
    assert_eq!(traffic.tests.end_to_end_paths.iter().map(shown).collect::<Vec<_>>(), ["end-to-end-test → shop:9000"]);
    assert_eq!(traffic.tests.end_to_end_services, ["shipper", "shop"]);
    let identities: Vec<_> = traffic.identities().collect();
    assert_eq!(
        identities,
        [
            "shop",
            "shipper",
            "orders-broker",
            "meters",
            "sessions",
            "orders-broker-provisioning",
            "meters-provisioning",
            "sessions-provisioning",
            "sessions-exporter",
            "shop-proxy",
            "shop-test-authentication",
            "network-policy-test",
            "end-to-end-test",
        ]
    );
    let exporter = |one: &generator::ExporterTraffic| format!("{}, metrics at {}", shown(&one.path), one.metrics);
    let exporters: Vec<_> = traffic.exporters.iter().map(exporter).collect();
    assert_eq!(exporters, ["sessions-exporter → sessions:6379, metrics at 9121"]);
    let proxy =
        |one: &generator::ProxyTraffic| format!("{}, port {}, {}", shown(&one.path), one.port, shown(&one.test));
    let proxies: Vec<_> = traffic.proxies.iter().map(proxy).collect();
    assert_eq!(proxies, ["shop-proxy → shop:9000, port 4180, shop-test-authentication → shop-proxy:4180"]);
    let jobs: Vec<_> = traffic.provisioning.iter().map(shown).collect();
    assert_eq!(
        jobs,
        [
            "orders-broker-provisioning → orders-broker:15672",
            "meters-provisioning → meters:15672",
            "sessions-provisioning → sessions:6379",
        ]
    );
}

#[test]
fn the_tests_try_what_is_declared_and_nothing_else() {
    let on_disk = OnDisk::of(&resolved());
    let helm = helm(Tool::BatchHelm4);
    let manifest = on_disk.render(&helm, None, &[]).expect("it renders");
    let objects = read_by_helm(&helm, &manifest);
    let object = |kind: &str, name: &str| object(&objects, kind, name);
    let pod = |job: &str| &object("Job", job)["spec"]["template"]["spec"];
    let tried = |job: &str| -> Value {
        let containers = pod(job)["containers"].as_array().expect("a list");
        containers
            .iter()
            .map(|container| json!([container["name"], container["image"], container["command"]]))
            .collect()
    };
    assert_eq!(
        tried("shop-test-connection"),
        json!([
            [
                "test-orders-broker",
                "python:3.14-alpine",
                ["python3", "-ISB", "/opt/tests/queues.py", "publish-through", "order-events", "orders.placed"]
            ],
            ["test-sessions", "valkey/valkey:9", ["sh", "/opt/tests/valkey.sh", "ping"]],
        ])
    );
    assert_eq!(
        tried("shipper-test-connection"),
        json!([
            [
                "test-orders-broker",
                "python:3.14-alpine",
                ["python3", "-ISB", "/opt/tests/queues.py", "consume", "orders.placed", "publish", "orders.shipped"]
            ],
            [
                "test-meters",
                "python:3.14-alpine",
                ["python3", "-ISB", "/opt/tests/queues.py", "passively", "consume", "readings"]
            ],
            [
                "calls",
                "python:3.14-alpine",
                [
                    "python3",
                    "-ISB",
                    "/opt/tests/http_calls.py",
                    "expect-2xx",
                    "http://r-shop:9000/stock",
                    "expect-below-500",
                    "http://r-shop:9001/"
                ]
            ],
        ])
    );
    // A container takes the login of its server, and no other secret of the service.
    let key = |name: &str, key: &str| json!({ "name": name, "valueFrom": { "secretKeyRef": { "name": "r-shop-inline-r1.1.1", "key": key } } });
    assert_eq!(
        pod("shop-test-connection")["containers"][1]["env"],
        json!([
            { "name": "VALKEY_HOST", "value": "r-sessions" },
            { "name": "VALKEY_PORT", "value": "6379" },
            key("VALKEY_USER", "CACHE_USER"),
            key("VALKEY_PASSWORD", "CACHE_PASSWORD"),
        ])
    );
    let arguments = |job: &str| pod(job)["containers"][0]["args"].clone();
    // Who may use the API server is not asked whether he cannot.
    assert_eq!(
        arguments("shop-test-isolation"),
        json!(["shop", "r-shop", "/opt/tests/ports", "--api-server", "r-orders-broker:5672", "r-sessions:6379"])
    );
    assert_eq!(
        arguments("shipper-test-isolation"),
        json!([
            "shipper",
            "r-shipper",
            "/opt/tests/ports",
            "r-orders-broker:5672",
            "r-meters:5672",
            "r-shop:9000",
            "r-shop:9001",
        ])
    );
}

#[test]
fn the_end_to_end_test_gets_its_plan_and_the_chart_only_the_scripts_that_its_kinds_need() {
    let on_disk = OnDisk::of(&resolved());
    let helm = helm(Tool::BatchHelm4);
    let objects = read_by_helm(&helm, &on_disk.render(&helm, None, &[]).expect("it renders"));
    let object = |kind: &str, name: &str| object(&objects, kind, name);
    let data = &object("ConfigMap", "tests")["data"];
    let ports: Vec<_> = data["ports"].as_str().expect("a text").lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(
        ports[..3],
        ["shop r-shop:9000 declared", "shop r-shop:9001 declared", "shipper r-shipper:9001 declared"]
    );
    assert_eq!(ports.len(), 3 + 3 + 3 + 1);
    // Nothing is stored, so nothing is removed, and there is no database whose client could do that.
    let containers = &object("Job", "end-to-end-test")["spec"]["template"]["spec"]["containers"];
    assert_eq!(containers.as_array().map(Vec::len), Some(1));
    assert_eq!(
        containers[0]["env"],
        json!([
            { "name": "POD_UID", "valueFrom": { "fieldRef": { "fieldPath": "metadata.uid" } } },
            { "name": "MARKER", "value": "helm-test-$(POD_UID)" },
            { "name": "DESCRIPTION", "value": "An order is shipped." },
            { "name": "SEND_URL", "value": "http://r-shop:9000/orders" },
            { "name": "SEND_BODY", "value": END_TO_END.request.body.replace("{marker}", "$(MARKER)") },
            { "name": "PAGE_URL", "value": "http://r-shop:9000/shipped" },
            { "name": "WITHIN_SECONDS", "value": "20" },
            { "name": "SERVICES", "value": "shop, shipper, shop" },
            { "name": "TEST_SECONDS", "value": "100" },
        ])
    );
    let scripts = |config_map: &str| -> Vec<String> {
        object("ConfigMap", config_map)["data"].as_object().expect("a map").keys().cloned().collect()
    };
    let named = |o: &&Value| o["metadata"]["name"].as_str().is_some_and(|name| name.starts_with("r-connections-"));
    let connections = objects.iter().find(named).expect("the scripts that connect")["metadata"]["name"].as_str();
    let connections = connections.expect("a text").trim_start_matches("r-");
    assert_eq!(scripts(connections), ["amqp.py", "probe.py", "retry.sh", "valkey.sh"]);
    assert_eq!(
        scripts("tests"),
        ["end_to_end.py", "http_calls.py", "network_policies.py", "ports", "queues.py", "testing.py"]
    );
}

#[test]
fn a_use_that_is_removed_is_gone_everywhere() {
    let fewer: Vec<Use> = SHIPPER
        .uses
        .iter()
        .filter(|one| !matches!(one, Use::Call(call) if call.endpoint.port == ADMIN))
        .map(|one| match one {
            Use::RabbitMq(client) => {
                let kept = client.queues.iter().filter(|of| !matches!(of, QueueUse::Publishes { .. })).copied();
                Use::RabbitMq(AmqpClient { queues: kept.collect::<Vec<_>>().leak(), ..*client })
            }
            other => *other,
        })
        .collect();
    let fewer = Service { uses: fewer.leak(), ..SHIPPER };
    let all = |services: Vec<Service>| -> Vec<Value> {
        let platform = Platform { services, ..platform() };
        let resolved = platform.resolve().unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
        let helm = helm(Tool::BatchHelm4);
        read_by_helm(&helm, &OnDisk::of(&resolved).render(&helm, None, &[]).expect("it renders"))
    };
    let (before, after) = (all(vec![SHOP_SERVICE, SHIPPER]), all(vec![SHOP_SERVICE, fewer]));
    let text = |objects: &[Value], kind: &str, name: &str| object(objects, kind, name).to_string();
    for (kind, name, words) in [
        ("NetworkPolicy", "shipper", r#""port":9001"#),
        ("NetworkPolicy", "shop", r#""port":9001"#),
        ("ConfigMap", "orders-broker-provisioning", r"orders\\\\.shipped"),
        ("ConfigMap", "orders-broker-provisioning", r"amq\\\\.default"),
        ("Deployment", "shipper", "SHOP_ADMIN_HOST"),
        ("Job", "shipper-test-connection", "http://r-shop:9001/"),
        ("Job", "shipper-test-connection", r#""publish""#),
        ("Job", "shipper-test-isolation", "r-shop:9001"),
    ] {
        assert!(
            text(&before, kind, name).contains(words),
            "{kind} {name} had no {words}: {}",
            text(&before, kind, name)
        );
        assert!(!text(&after, kind, name).contains(words), "{kind} {name} still has {words}");
    }
    // The port is still there, and nobody but the test knows of it.
    assert!(text(&after, "ConfigMap", "tests").contains("shop r-shop:9001 declared"));
}

#[test]
fn without_a_secret_nothing_refers_to_one() {
    const CACHE: Valkey = Valkey::named("cache");
    const WORKER: Service = Service {
        ports: &[WEB],
        uses: &[CACHE
            .client(
                CacheEnv { host: variable("CACHE_HOST"), port: variable("CACHE_PORT"), login: CacheLogin::Anonymous },
                keys("*", &["get"]),
            )
            .never_reconnects("it gives up")],
        ..Service::new(
            ServiceName::new("worker"),
            "Works.",
            Image::new("shop/worker", "1"),
            Health::by_connections(Python3),
            Resources::new(cpu("1"), memory("1Mi")),
        )
    };
    let platform = Platform {
        services: vec![WORKER],
        backing: vec![Backing::Valkey(CACHE)],
        environments: vec![],
        tests: Tests::DEFAULT,
        earlier_versions: &[],
        ..platform()
    };
    let platform = platform.resolve().unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    let on_disk = OnDisk::of(&platform);
    let manifest = on_disk.render(&helm(Tool::BatchHelm4), None, &[]).unwrap_or_else(|refusal| panic!("{refusal}"));
    let secrets: Vec<_> = tools::objects(&manifest).expect("YAML").into_iter().filter(|o| o.kind == "Secret").collect();
    assert_eq!(secrets.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["r-cache-inline"]);
    assert!(!manifest.contains("secretRef") && !manifest.contains("secretKeyRef"), "{manifest}");
}
