use super::*;

/// A password that the chart accepts.
const GOOD: &str = "x7Kq0ZpLm2Vt9RbW";

fn converted(old: &str) -> Converted {
    let platform = second_platform::platform().resolve().expect("the platform resolves");
    let mut documents = helm_values::documents(old).expect("YAML");
    let Some(Value::Mapping(map)) = documents.pop() else { unreachable!("the test has a map") };
    convert(&platform, &map)
}

/// The new values as YAML, and what is left.
fn outcome(old: &str) -> (String, Vec<String>) {
    let converted = converted(old);
    let left = converted.left.iter().map(|left| format!("{}: {}", left.path, left.reason)).collect();
    (yaml::write(&converted.values), left)
}

#[track_caller]
fn carried(old: &str, new: &str) {
    assert_eq!(outcome(old), (new.to_owned(), Vec::new()));
}

#[track_caller]
fn left(old: &str, reasons: &[&str]) {
    assert_eq!(outcome(old), ("{}".to_owned(), reasons.iter().map(|reason| (*reason).to_owned()).collect()));
}

#[test]
fn a_renamed_key_keeps_its_value() {
    carried("shop: {scale: 3}\nshipper: {scale: 2}\n", "shop:\n  replicas: 3\nshipper:\n  replicas: 2");
    carried("global: {metricsOn: true}\n", "global:\n  metrics:\n    enabled: true");
}

#[test]
fn values_of_this_version_are_kept_in_the_order_of_the_chart() {
    let old = "sessions: {persistence: {size: 2Gi}}\nshop: {nodeSelector: {disk: ssd}, enabled: false}\nglobal: {theirs: {a: 1}, imageRegistry: a.example}\nenabled: true\n";
    let new = "global:\n  imageRegistry: a.example\n  theirs:\n    a: 1\nshop:\n  enabled: false\n  nodeSelector:\n    disk: ssd\nsessions:\n  persistence:\n    size: 2Gi\nenabled: true";
    carried(old, new);
}

#[test]
fn lists_of_several_services_are_joined() {
    let old = "shop: {pullSecrets: [{name: a}, {name: b}]}\nshipper: {pullSecrets: [{name: b}, {name: c}]}\n";
    carried(old, "global:\n  imagePullSecrets:\n    - name: a\n    - name: b\n    - name: c");
}

#[test]
fn words_are_translated_and_a_required_value_is_set() {
    carried("shop: {edge: {kind: internal}}\n", "shop:\n  exposure:\n    via: None");
    let node = "shop:\n  exposure:\n    via: NodePort\n    nodePort: 30100";
    carried("shop: {edge: {port: 30100}}\n", node);
    carried("shop: {edge: {port: 30100, kind: node}}\n", node);
    // What the file says takes precedence.
    carried(
        "shop: {edge: {port: 30100}, exposure: {via: Ingress}}\n",
        "shop:\n  exposure:\n    via: Ingress\n    nodePort: 30100",
    );
    left("shop: {edge: {kind: far}}\n", &["shop.edge.kind: only internal, node can be carried over"]);
}

#[test]
fn what_has_no_successor_is_left_with_the_reason() {
    left(
        "shop: {probes: {live: /x}, edge: {other: 1}, unknown: 1}\nworker: {scale: 1}\nmore: {}\n",
        &[
            "shop.probes: the chart sets the probes",
            "shop.edge.other: it is neither a value of this version of the chart nor of an earlier one",
            "shop.unknown: it is neither a value of this version of the chart nor of an earlier one",
            "worker: the service does not exist any more",
            "more: it is neither a value of this version of the chart nor of an earlier one",
        ],
    );
    left("shop: 5\n", &["shop: it is no map, but the chart has a section there"]);
}

#[test]
fn a_value_of_this_version_takes_precedence() {
    let (new, left) = outcome("shop: {scale: 3, replicas: 2}\n");
    assert_eq!(new, "shop:\n  replicas: 2");
    assert_eq!(left, ["shop.scale: shop.replicas sets shop.replicas otherwise"]);
    carried("shop: {scale: 2, replicas: 2}\n", "shop:\n  replicas: 2");
}

#[test]
fn variables_become_settings_of_their_type() {
    let setting = "shop:\n  settings:\n    cartLimit: 20";
    for variables in ["{CART_LIMIT: '20'}", "{cart_limit: 20}", "[{name: CART_LIMIT, value: '20'}]"] {
        carried(&format!("shop: {{env: {variables}}}\n"), setting);
    }
    left("shop: {env: {CART_LIMIT: many}}\n", &["shop.env.CART_LIMIT: it is no whole number from 1 to 10000000"]);
    left("shop: {env: {CART_LIMIT: 0}}\n", &["shop.env.CART_LIMIT: it is no whole number from 1 to 10000000"]);
    left(
        "shop: {env: [{name: MQ_HOST, value: a}, {name: X, value: a}, {name: MQ_USER, value: a}, {name: MQ_KEY, valueFrom: {}}]}\n",
        &[
            "shop.env.MQ_HOST: the chart sets this variable",
            "shop.env.X: the service has no such variable",
            "shop.env.MQ_USER: the chart sets this variable",
            "shop.env.MQ_KEY: it has no `value`",
        ],
    );
    left("shop: {env: [a]}\n", &["shop.env: it is neither a map nor a list of `name` and `value`"]);
    left("shop: {env: null}\n", &[]);
}

#[test]
fn a_choice_is_found_in_any_case() {
    let choice = Setting::Choice { default: "INFO", options: &["DEBUG", "INFO"], doc: "" };
    assert_eq!(fitted(&"debug".into(), choice), Ok("DEBUG".into()));
    assert_eq!(fitted(&"loud".into(), choice), Err("it is none of DEBUG, INFO".to_owned()));
    let text = Setting::Text { default: "", doc: "" };
    assert_eq!(fitted(&true.into(), text), Ok("true".into()));
}

#[test]
fn a_password_that_the_chart_accepts_is_carried_once() {
    let result = converted(&format!("shop: {{env: {{PAYMENT_TOKEN: {GOOD}, CACHE_PASSWORD: {GOOD}}}}}\n"));
    let token = format!("shop:\n  credentials:\n    paymentToken:\n      value: {GOOD}");
    assert_eq!(yaml::write(&result.values), token);
    assert_eq!((result.passwords, result.carried), (1, 1));
    let reason = "shop.credentials.paymentToken.value has the same password, and the chart refuses one for two uses. Set another for shop.credentials.sessions.password";
    assert_eq!(result.left, [Left { path: "shop.env.CACHE_PASSWORD".to_owned(), reason: reason.to_owned() }]);
}

#[test]
fn a_weak_password_is_left_and_never_shown() {
    for (password, reason) in [
        ("Wines-of-the-day", "is a password that was published, or little more than that"),
        ("x7Kq0Zp", "has fewer than 16 characters"),
    ] {
        let expected = format!(
            "orders-broker.adminPassword: the chart refuses this password: it {reason}. Set another for orders-broker.credentials.administrator.password"
        );
        left(&format!("orders-broker: {{adminPassword: {password}}}\n"), &[&expected]);
        assert!(!expected.contains(password));
    }
    left("orders-broker: {adminPassword: ''}\nmeters: {adminPassword: null}\n", &[]);
    let expected = "orders-broker.adminPassword: it is not a text; Helm would not read it as one";
    left("orders-broker: {adminPassword: 1234567890123456}\n", &[expected]);
    // A weak password under the new key is left too.
    let expected = "shop.credentials.paymentToken.value: the chart refuses this password: it has fewer than 16 characters. Set another for shop.credentials.paymentToken.value";
    left("shop: {credentials: {paymentToken: {value: x7Kq0Zp}}}\n", &[expected]);
}
