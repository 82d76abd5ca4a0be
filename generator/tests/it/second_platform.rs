//! A platform that has nothing of AuditFlow: other names, two brokers, no database, a login at the cache, a service with rights at the
//! Kubernetes API, one that listens nowhere.

use std::collections::BTreeSet;

use generator::Resolved;
use serde_json::{Value, json};
use tools::{KUBERNETES_VERSIONS, Tool};
use vocabulary::{
    AmqpClient, AmqpEnv, ApiRule, Backing, CacheEnv, CacheLogin, CallEnv, ChartVersion, Endpoint, Environment,
    Exchange, Exposure, Health, HealthRoute, Image, Journey, Mistake, Place, Platform, PlatformName, Port, Python3,
    Queue, QueueUse, RabbitMq, Resources, Scaling, Service, ServiceName, Tests, Use, Valkey, Variable, WritablePath,
    autoscaled, consumes, cpu, exposed_at_node_port, image_tag, keys, memory, plain, publishes, publishes_through,
    setting, storage, variable,
};

use crate::harness::{OnDisk, helm, leak, read_by_helm};

const ORDERS: RabbitMq = RabbitMq::named("orders-broker");
const METERS: RabbitMq = RabbitMq {
    image: Image::new("registry.example.org:5000/mq/rabbitmq", "4.3-management"),
    ..RabbitMq::named("meters")
};
const SESSIONS: Valkey = Valkey::named("sessions");

const PLACED: Queue = ORDERS.queue("orders.placed");
const SHIPPED: Queue = ORDERS.queue("orders.shipped").emptied_from_outside("the carrier's own consumer");
const READINGS: Queue = METERS.queue("readings").filled_from_outside("the gateways in the field");
const ORDER_EVENTS: Exchange = ORDERS.exchange("order-events");

const fn amqp(prefix: [&'static str; 4]) -> AmqpEnv {
    AmqpEnv {
        host: variable(prefix[0]),
        port: variable(prefix[1]),
        user: variable(prefix[2]),
        password: plain(prefix[3]),
    }
}

const WEB: Port = Port::http("web", 9000);
const ADMIN: Port = Port::tcp("admin", 9001);
const SHOP: ServiceName = ServiceName::new("shop");
const LIMIT: vocabulary::VariableName = variable("CART_LIMIT");

const SHOP_SERVICE: Service = Service {
    ports: &[WEB, ADMIN],
    uses: &[
        ORDERS.client(
            amqp(["MQ_HOST", "MQ_PORT", "MQ_USER", "MQ_PASSWORD"]),
            &[publishes_through(ORDER_EVENTS, variable("MQ_EXCHANGE"), PLACED, variable("MQ_KEY"))],
        ),
        SESSIONS.client(
            CacheEnv {
                host: variable("CACHE_HOST"),
                port: variable("CACHE_PORT"),
                login: CacheLogin::Own { user: variable("CACHE_USER"), password: plain("CACHE_PASSWORD") },
            },
            keys("session:*", &["get", "set", "del", "ping", "hello"]),
        ),
    ],
    environment: &[
        Variable::integer(LIMIT.as_str(), 1_000_000, 1, 10_000_000, "Articles in one cart."),
        Variable::secret("PAYMENT_TOKEN", "The token for the payment provider."),
    ],
    scaling: Scaling::horizontal(3, 10, 50),
    exposure: Some(Exposure::http(WEB)),
    writable: &[WritablePath::new("/var/cache/shop", "64Mi"), WritablePath::new("/tmp", "16Mi")],
    ..Service::new(
        SHOP,
        "Takes orders.",
        Image::new("shop/web", "2.0").digest("sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
        Health::probes(
            HealthRoute::new(WEB, "/ready").fails_without(&[ORDERS.name]).probe(),
            HealthRoute::new(WEB, "/live").probe(),
        ),
        Resources::new(cpu("250m").up_to("1"), memory("256Mi").up_to("512Mi")),
    )
};

const SHIPPER: Service = Service {
    ports: &[ADMIN],
    uses: &[
        ORDERS
            .client(
                amqp(["BROKER_HOST", "BROKER_PORT", "BROKER_LOGIN", "BROKER_SECRET"]),
                &[consumes(PLACED, variable("IN")), publishes(SHIPPED, variable("OUT"))],
            )
            .never_reconnects("its client gives up with the first error"),
        METERS.client(
            amqp(["METER_HOST", "METER_PORT", "METER_USER", "METER_PASS"]),
            &[consumes(READINGS, variable("METER_QUEUE"))],
        ),
        Endpoint::new(SHOP, WEB)
            .called(CallEnv { host: variable("SHOP_HOST"), port: variable("SHOP_WEB_PORT") })
            .asks("/stock"),
        Endpoint::new(SHOP, ADMIN)
            .called(CallEnv { host: variable("SHOP_ADMIN_HOST"), port: variable("SHOP_ADMIN_PORT") }),
    ],
    kubernetes: &[
        ApiRule::new("Reads its routes.", "", &["configmaps"], &["get"]).only(&["routes"]),
        ApiRule::new("Elects a leader.", "coordination.k8s.io", &["leases"], &["get", "create", "update"]),
    ],
    user: 2000,
    ..Service::new(
        SHIPPER_NAME,
        "Ships orders.",
        Image::without_tag("shop/shipper", "whoever ships builds it"),
        Health::by_connections(Python3),
        Resources::new(cpu("50m"), memory("64Mi").up_to("128Mi")),
    )
};

const SHIPPER_NAME: ServiceName = ServiceName::new("shipper");

const TRIAL: Environment = Environment::new("trial", "Where a build is tried.", &[image_tag(SHIPPER_NAME, "latest")]);

const LIVE: Environment = Environment::new(
    "live",
    "Where customers are.",
    &[
        autoscaled(SHOP),
        setting(SHOP, LIMIT, "2000000"),
        image_tag(SHIPPER_NAME, "1.4"),
        storage(ORDERS.name, "8Gi"),
        exposed_at_node_port(SHOP, 30100),
    ],
);

/// It leaves nothing in a database, since there is none.
const JOURNEY: Journey = Journey::new(
    "An order is shipped.",
    Endpoint::new(SHOP, WEB).posts("/orders", r#"{"article": "{marker} {{ it's }} \u00e9"}"#),
    &[ServiceName::new("shipper")],
    Endpoint::new(SHOP, WEB).page("/shipped"),
)
.within_seconds(20);

pub(crate) fn platform() -> Platform {
    Platform {
        name: PlatformName::new("shop-floor"),
        doc: "A shop, and what ships its orders",
        version: ChartVersion::new("2.0.0-rc.1"),
        home: "https://example.org/shop",
        longest_release_name: 20,
        services: vec![SHOP_SERVICE, SHIPPER],
        backing: vec![Backing::RabbitMq(ORDERS), Backing::RabbitMq(METERS), Backing::Valkey(SESSIONS)],
        environments: vec![TRIAL, LIVE],
        tests: Tests::DEFAULT.journey(JOURNEY),
        place: Place::here(),
    }
}

fn resolved() -> Resolved {
    platform().resolve().unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

#[test]
fn nothing_of_auditflow_is_in_it() {
    let chart = generator::generate(&resolved());
    for (path, text) in chart.files() {
        let both = format!("{path}\n{text}").to_lowercase();
        for word in ["audit", "notification", "alert", "afp"] {
            assert!(!both.contains(word), "{path} speaks of {word}");
        }
    }
}

#[test]
fn a_service_has_exactly_the_files_that_it_needs() {
    let chart = generator::generate(&resolved());
    let files = |name: &str| -> Vec<String> {
        let folder = format!("shop-floor/charts/{name}/");
        chart.files().keys().filter_map(|path| path.as_str().strip_prefix(&folder).map(str::to_owned)).collect()
    };
    assert_eq!(
        files("shop"),
        [
            "Chart.yaml",
            "templates/_helpers.tpl",
            "templates/deployment.yaml",
            "templates/externalsecret.yaml",
            "templates/horizontalpodautoscaler.yaml",
            "templates/httproute.yaml",
            "templates/ingress.yaml",
            "templates/poddisruptionbudget.yaml",
            "templates/role.yaml",
            "templates/secret.yaml",
            "templates/service.yaml",
            "templates/serviceaccount.yaml",
            "templates/tests/access.yaml",
            "templates/tests/isolation.yaml",
        ]
    );
    assert_eq!(
        files("shipper"),
        [
            "Chart.yaml",
            "templates/_helpers.tpl",
            "templates/deployment.yaml",
            "templates/externalsecret.yaml",
            "templates/role.yaml",
            "templates/secret.yaml",
            "templates/service.yaml",
            "templates/serviceaccount.yaml",
            "templates/tests/access.yaml",
            "templates/tests/isolation.yaml",
        ]
    );
}

#[test]
fn both_helms_and_every_kubernetes_take_it() {
    let on_disk = OnDisk::of(&resolved());
    for tool in [Tool::Helm3, Tool::Helm4] {
        let helm = helm(tool);
        let passwords = on_disk.path(&on_disk.chart().paths().ci_values);
        let linted = helm.lint(&on_disk.umbrella(), &[&passwords], &[]).expect("Helm runs");
        assert!(linted.is_ok(), "{linted:?}");
        for environment in [None, Some("live")] {
            let manifest = on_disk.render(&helm, environment, &[]).unwrap_or_else(|refusal| panic!("{refusal}"));
            for version in KUBERNETES_VERSIONS {
                let report = tools::kubeconform(version, &manifest).expect("kubeconform runs");
                let failures: Vec<_> = report.failures().map(ToString::to_string).collect();
                assert!(failures.is_empty(), "{version}: {failures:#?}");
            }
        }
    }
}

#[test]
fn each_login_can_do_what_its_uses_need_and_nothing_else() {
    let on_disk = OnDisk::of(&resolved());
    let helm = helm(Tool::Helm4);
    let manifest = on_disk.render(&helm, None, &[]).expect("it renders");
    let objects = read_by_helm(&helm, &manifest);
    let object = |kind: &str, name: &str| -> &Value {
        let is = |o: &&Value| o["kind"] == kind && o["metadata"]["name"] == format!("r-{name}");
        objects.iter().find(is).unwrap_or_else(|| panic!("there is no {kind} {name}"))
    };
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
    assert!(egress("shipper").contains(r#""cidr":"0.0.0.0/0""#) && egress("shipper").contains("6443"));
    assert!(!egress("shop").contains("ipBlock"));
    // Of its two brokers, on one port, the shipper reopens one by itself: the probe looks at the other alone.
    let probe = pod("shipper")["containers"][0]["livenessProbe"]["exec"]["command"].as_array().expect("a list");
    assert_eq!(
        probe[4..],
        [json!("amqp=BROKER_HOST,BROKER_PORT,BROKER_LOGIN,BROKER_SECRET"), json!("other=METER_HOST,METER_PORT"),]
    );
}

const EXTERNAL: [&str; 2] =
    ["--set=global.secrets.mode=external", "--api-versions=external-secrets.io/v1/ExternalSecret"];

/// Objects are called `<release>-<chart>` or `<release>-<chart>-<suffix>`: a service of that second name would make the same object again,
/// so the vocabulary must know every suffix that the generator uses, and every key that it puts beside the charts' own.
#[test]
fn no_service_can_be_called_like_an_object_of_another() {
    let on_disk = OnDisk::of(&resolved());
    let manifest = on_disk.render(&helm(Tool::Helm4), Some("live"), &EXTERNAL).expect("it renders");
    let charts = ["shop", "shipper", "orders-broker", "meters", "sessions"];
    let objects = tools::objects(&manifest).expect("Helm renders YAML");
    let called = |object: &tools::Object| object.name.trim_start_matches("r-").to_owned();
    // Of other kinds there is none that bears a chart's name alone, so no chart can make it again.
    let kinds: BTreeSet<_> =
        objects.iter().filter(|o| charts.contains(&called(o).as_str())).map(|o| o.kind.clone()).collect();
    let taken: BTreeSet<_> = objects.iter().filter(|object| kinds.contains(&object.kind)).map(called).collect();
    let mut refused = 0;
    for name in taken.iter().filter(|name| !charts.contains(&name.as_str())) {
        let called = ServiceName::checked(leak(name.clone())).expect("an object's name is a service's");
        let twin = Service { name: called, uses: &[], kubernetes: &[], health: SHOP_SERVICE.health, ..SHOP_SERVICE };
        let platform = Platform { services: vec![SHOP_SERVICE, SHIPPER, twin], ..platform() };
        let mistakes = platform.resolve().err().unwrap_or_else(|| panic!("a service may be called {name}"));
        let is_about_names = |m: &&Mistake| matches!(m, Mistake::NameTaken { .. } | Mistake::NameReserved { .. });
        assert!(mistakes.as_slice().iter().any(|m| is_about_names(&m)), "a service may be called {name}: {mistakes}");
        refused += 1;
    }
    assert!(refused >= 8, "{taken:?}");
}

#[test]
fn an_environment_s_overlay_is_what_differs_and_nothing_else() {
    let chart = generator::generate(&resolved());
    let text = &chart.files()[&chart.paths().environments["live"]];
    let overlay: Vec<Value> = generator::yaml::read_all(text).expect("YAML");
    assert_eq!(
        overlay,
        [json!({
            "shop": {
                "autoscaling": { "enabled": true },
                "settings": { "cartLimit": 2_000_000 },
                "exposure": { "via": "NodePort", "nodePort": 30100 },
            },
            "shipper": { "image": { "tag": "1.4" } },
            "orders-broker": { "persistence": { "size": "8Gi" } },
        })]
    );
    let helm = helm(Tool::Helm4);
    let manifest = OnDisk::of(&resolved()).render(&helm, Some("live"), &[]).expect("it renders");
    // From a million up numbers become 2e+06 on a careless way through a template.
    assert!(manifest.contains("value: \"2000000\""), "a large number arrives as it is");
    assert!(!manifest.contains("e+06"));
}

/// A tag that moves is pulled each time; a build that nobody names is not installed, and each that lacks one is said.
#[test]
fn an_image_without_a_default_tag_is_named_or_refused() {
    let on_disk = OnDisk::of(&resolved());
    let file = |path: &camino::Utf8Path| on_disk.chart().files()[path].as_str();
    let trial: Vec<Value> =
        generator::yaml::read_all(file(&on_disk.chart().paths().environments["trial"])).expect("YAML");
    assert_eq!(trial, [json!({ "shipper": { "image": { "tag": "latest", "pullPolicy": "Always" } } })]);
    let ci: Vec<Value> = generator::yaml::read_all(file(&on_disk.chart().paths().ci_values)).expect("YAML");
    assert_eq!(ci[0]["shipper"]["image"]["tag"].as_str().map(str::len), Some(40));
    assert!(ci[0]["shop"]["image"].is_null() && ci[0]["meters"]["image"].is_null());
    for (path, says) in [
        ("shop-floor/README.md", "--values passwords.yaml --set-string shipper.image.tag=<tag> --wait"),
        ("shop-floor/README.md", "| `shipper` | `shop/shipper` | whoever ships builds it |"),
        ("shop-floor/UPGRADING.md", "`shipper.image`"),
        ("shop-floor/values.yaml", "There is no default: whoever ships builds it."),
    ] {
        assert!(file(path.into()).contains(says), "{path} does not say {says}");
    }

    let helm = helm(Tool::Helm4);
    let rendered = |environment, arguments: &[&str]| on_disk.render(&helm, environment, arguments);
    assert!(rendered(Some("trial"), &[]).expect("it renders").contains("image: \"shop/shipper:latest\""));
    let nobody = ["--set=shipper.image.tag=", "--set=meters.image.tag=", "--set=shop.image.tag="];
    let refusal = rendered(None, &nobody).expect_err("two images have neither tag nor digest");
    for says in [
        "shipper.image.tag is not set, and neither is image.digest",
        "There is no default (whoever ships builds it). Name one: --set-string shipper.image.tag=<tag>",
        "meters.image.tag is not set, and neither is image.digest",
        "the default, 4.3-management",
    ] {
        assert!(refusal.contains(says), "{refusal}");
    }
    // The shop's image is pinned.
    assert!(!refusal.contains("shop.image.tag"), "{refusal}");
    assert!(rendered(None, &["--set=shipper.image.tag=", "--set=shipper.enabled=false"]).is_ok());
}

#[test]
fn the_paths_are_those_of_the_declared_uses() {
    let paths = generator::access_paths(&resolved());
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
    let port = |of: &generator::Port| format!("{}:{}", of.of, of.number);
    assert_eq!(traffic.identity_label, "shop-floor/identity");
    assert_eq!(traffic.paths, generator::access_paths(&resolved()));
    assert_eq!(traffic.doors.iter().map(port).collect::<Vec<_>>(), ["shop:9000"]);
    assert_eq!(traffic.metrics.iter().map(port).collect::<Vec<_>>(), ["orders-broker:15692", "meters:15692"]);
    assert_eq!(traffic.kubernetes, ["shipper"]);
    let shown = |p: &generator::AccessPath| format!("{} → {}:{}", p.from, p.to, p.port);
    assert_eq!(traffic.tests.journey_paths.iter().map(shown).collect::<Vec<_>>(), ["journey-test → shop:9000"]);
    assert_eq!(traffic.tests.journey_services, ["shipper", "shop"]);
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
            "nobody-test",
            "journey-test",
        ]
    );
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

/// What the tests try follows from the uses, and what they are told arrives as it was declared.
#[test]
fn the_tests_try_what_is_declared_and_nothing_else() {
    let on_disk = OnDisk::of(&resolved());
    let helm = helm(Tool::Helm4);
    let manifest = on_disk.render(&helm, None, &[]).expect("it renders");
    let objects = read_by_helm(&helm, &manifest);
    let object = |kind: &str, name: &str| -> &Value {
        let is = |o: &&Value| o["kind"] == kind && o["metadata"]["name"] == format!("r-{name}");
        objects.iter().find(is).unwrap_or_else(|| panic!("there is no {kind} {name}"))
    };
    let pod = |job: &str| &object("Job", job)["spec"]["template"]["spec"];
    let arguments = |job: &str| pod(job)["containers"][0]["args"].clone();
    assert_eq!(
        arguments("shop-test-access"),
        json!([
            "access",
            "publish=MQ_HOST,MQ_PORT,MQ_USER,MQ_PASSWORD,MQ_KEY,MQ_EXCHANGE",
            "ping=CACHE_HOST,CACHE_PORT,CACHE_USER,CACHE_PASSWORD",
        ])
    );
    assert_eq!(
        arguments("shipper-test-access"),
        json!([
            "access",
            "consume=BROKER_HOST,BROKER_PORT,BROKER_LOGIN,BROKER_SECRET,IN",
            "publish=BROKER_HOST,BROKER_PORT,BROKER_LOGIN,BROKER_SECRET,OUT",
            "consume=METER_HOST,METER_PORT,METER_USER,METER_PASS,METER_QUEUE",
            "http=SHOP_HOST,SHOP_WEB_PORT=/stock",
            "http=SHOP_ADMIN_HOST,SHOP_ADMIN_PORT",
        ])
    );
    // Who may use the API server is not asked whether he cannot.
    assert_eq!(
        arguments("shop-test-isolation"),
        json!(["isolation", "shop", "/opt/tests/targets", "--api-server", "r-orders-broker:5672", "r-sessions:6379"])
    );
    assert_eq!(
        arguments("shipper-test-isolation"),
        json!([
            "isolation",
            "shipper",
            "/opt/tests/targets",
            "r-orders-broker:5672",
            "r-meters:5672",
            "r-shop:9000",
            "r-shop:9001",
        ])
    );

    let data = &object("ConfigMap", "tests")["data"];
    let targets: Vec<_> = data["targets"].as_str().expect("a text").lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(
        targets[..3],
        ["shop r-shop:9000 declared", "shop r-shop:9001 declared", "shipper r-shipper:9001 declared"]
    );
    assert_eq!(targets.len(), 3 + 3 + 3 + 1);
    let journey: Value = serde_json::from_str(data["journey.json"].as_str().expect("a text")).expect("JSON");
    assert_eq!(
        journey,
        json!({
            "doc": "An order is shipped.",
            "send": { "host": "r-shop", "port": 9000, "path": "/orders", "body": JOURNEY.sent.body },
            "see": { "host": "r-shop", "port": 9000, "path": "/shipped" },
            "through": ["shop", "shipper", "shop"],
            "within_seconds": 20,
        })
    );
    assert_eq!(pod("journey-test")["containers"][0]["env"], json!([{ "name": "TEST_SECONDS", "value": "100" }]));
}

/// One edit of the declaration, and a path is gone from both its ends, from the rights at the broker, and from the tests, which now try
/// that it is closed.
#[test]
fn a_use_that_is_removed_is_gone_everywhere() {
    let fewer: Vec<Use> = SHIPPER
        .uses
        .iter()
        .filter(|one| !matches!(one, Use::Call(call) if call.endpoint.port == ADMIN))
        .map(|one| match one {
            Use::Amqp(client) => {
                let kept = client.queues.iter().filter(|of| !matches!(of, QueueUse::Publishes { .. })).copied();
                Use::Amqp(AmqpClient { queues: kept.collect::<Vec<_>>().leak(), ..*client })
            }
            other => *other,
        })
        .collect();
    let fewer = Service { uses: fewer.leak(), ..SHIPPER };
    let all = |services: Vec<Service>| -> Vec<Value> {
        let platform = Platform { services, ..platform() };
        let resolved = platform.resolve().unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let helm = helm(Tool::Helm4);
        read_by_helm(&helm, &OnDisk::of(&resolved).render(&helm, None, &[]).expect("it renders"))
    };
    let (before, after) = (all(vec![SHOP_SERVICE, SHIPPER]), all(vec![SHOP_SERVICE, fewer]));
    let text = |objects: &[Value], kind: &str, name: &str| -> String {
        let is = |o: &&Value| o["kind"] == kind && o["metadata"]["name"] == format!("r-{name}");
        objects.iter().find(is).unwrap_or_else(|| panic!("there is no {kind} {name}")).to_string()
    };
    for (kind, name, words) in [
        ("NetworkPolicy", "shipper", r#""port":9001"#),
        ("NetworkPolicy", "shop", r#""port":9001"#),
        ("ConfigMap", "orders-broker-provisioning", r"orders\\\\.shipped"),
        ("ConfigMap", "orders-broker-provisioning", r"amq\\\\.default"),
        ("Deployment", "shipper", "SHOP_ADMIN_HOST"),
        ("Job", "shipper-test-access", "http=SHOP_ADMIN_HOST,SHOP_ADMIN_PORT"),
        ("Job", "shipper-test-access", "publish="),
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

/// A worker that keeps no connection to a cache it need not log in to: nothing is secret, and so there is no Secret.
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
        ..platform()
    };
    let platform = platform.resolve().unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let on_disk = OnDisk::of(&platform);
    let manifest = on_disk.render(&helm(Tool::Helm4), None, &[]).unwrap_or_else(|refusal| panic!("{refusal}"));
    let secrets: Vec<_> = tools::objects(&manifest).expect("YAML").into_iter().filter(|o| o.kind == "Secret").collect();
    assert_eq!(secrets.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["r-cache-inline"]);
    assert!(!manifest.contains("secretRef"), "{manifest}");
}

#[test]
fn the_same_platform_gives_the_same_bytes() {
    assert_eq!(generator::generate(&resolved()), generator::generate(&resolved()));
}
