//! The charts for logs and traces take personal data out: the real Collector runs with the configurations that Helm renders.

mod collector;

use serde_json::{Value, json};
use tools::{Tool, objects};

use crate::accepted::Values;
use crate::{further, rendered};
use collector::Collector;

/// The Collector's configuration in a chart with these values.
fn configuration(chart: &str, values: Values<'_>) -> String {
    let manifest = further::render(chart, Tool::Helm4, values).unwrap_or_else(|refusal| panic!("{refusal}"));
    let objects = objects(&manifest).expect("Helm renders YAML");
    let texts = objects.iter().filter(|object| object.kind == "ConfigMap").map(|object| {
        let object: Value = serde_yaml::from_str(&object.text).expect("an object is YAML");
        object["data"]["config.yaml"].as_str().unwrap_or_default().to_owned()
    });
    texts.into_iter().find(|text| text.contains("memory_limiter")).expect("the ConfigMap of the Collector")
}

/// The values of the example `privacy.yaml` in a chart's README, as paths with values.
fn example(chart: &str) -> Vec<(String, Value)> {
    let chart = rendered().paths().further.iter().find(|further| further.name == chart).expect("the chart");
    let readme = &rendered().files()[&chart.folder.join("README.md")];
    let block = readme.split_once("# privacy.yaml\n").expect("the example").1.split_once("```").expect("its end").0;
    let values: Value = serde_yaml::from_str(block).expect("it is YAML");
    let keys = values["privacy"].as_object().expect("values below `privacy`");
    keys.iter().map(|(key, value)| (format!("privacy.{key}"), value.clone())).collect()
}

/// A span of a request with these attributes, and with an exception.
fn span(attributes: &Value) -> String {
    let list = |attributes: &Value| -> Value {
        let pairs = attributes.as_object().expect("attributes").iter();
        let value = |value: &Value| match value.as_i64() {
            Some(number) => json!({ "intValue": number }),
            None => json!({ "stringValue": value }),
        };
        pairs.map(|(key, of)| json!({ "key": key, "value": value(of) })).collect()
    };
    let exception = json!({ "exception.message": "no user secret-message", "user.id": "secret-user" });
    json!({ "resourceSpans": [{
        "resource": { "attributes": list(&json!({ "service.name": "shop", "enduser.id": "secret-user" })) },
        "scopeSpans": [{ "spans": [
            {
                "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "GET /orders", "kind": 2,
                "startTimeUnixNano": "1000", "endTimeUnixNano": "2000", "status": { "code": 2 },
                "attributes": list(attributes),
                "events": [{ "timeUnixNano": "1500", "name": "exception", "attributes": list(&exception) }],
            },
            // A span without events.
            {
                "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b175", "name": "last", "kind": 1,
                "startTimeUnixNano": "1000", "endTimeUnixNano": "2000", "attributes": list(&json!({ "user.id": "secret-user" })),
            },
        ] }],
    }] })
    .to_string()
}

/// What a gateway with these values sends of a span with these attributes.
fn kept(values: Values<'_>, attributes: &Value) -> String {
    let mut collector = Collector::start(&configuration("traces", values));
    collector.post(&span(attributes));
    collector.sent_until("\"last\"")
}

#[test]
fn the_gateway_removes_what_names_users_and_clients() {
    let attributes = json!({
        "client.address": "secret-address", "enduser.id": "secret-user", "user.id": 4711, "http.user_agent": "secret-agent",
        "user_agent.original": "secret-agent", "net.peer.ip": "secret-address", "url.query": "q=secret-word",
        "url.full": "https://secret-login:secret-word@shop.example.org/orders/a@b?q=secret-word#secret-part",
        "http.url": "http://shop:8000/orders?q=secret-word", "http.target": "/orders?q=secret-word",
        "db.statement": "SELECT * FROM orders WHERE id = %s", "user.idle": "kept-attribute",
    });
    let sent = kept(&[], &attributes);
    for secret in
        ["secret-user", "secret-address", "secret-agent", "secret-word", "secret-login", "secret-part", "4711"]
    {
        assert!(!sent.contains(secret), "{secret} is in {sent}");
    }
    for whole in [
        r#""https://shop.example.org/orders/a@b""#,
        r#""http://shop:8000/orders""#,
        r#""/orders""#,
        "SELECT * FROM orders",
        "kept-attribute",
        r#""shop""#,
        "no user secret-message",
    ] {
        assert!(sent.contains(whole), "{whole} is not in {sent}");
    }

    let nothing = [("privacy.removeAttributes", json!([])), ("privacy.removeUrlQueries", json!(false))];
    let sent = kept(&nothing, &attributes);
    for secret in ["secret-user", "secret-address", "secret-agent", "secret-word", "secret-login", "4711"] {
        assert!(sent.contains(secret), "{secret} is not in {sent}");
    }
}

#[test]
fn the_example_for_traces_removes_messages_and_hashes_users() {
    let values = example("traces");
    let values: Vec<_> = values.iter().map(|(path, value)| (path.as_str(), value.clone())).collect();
    let sent = kept(&values, &json!({ "user.id": "secret-user", "client.address": "secret-address" }));
    assert!(!sent.contains("secret-"), "{sent}");
    // `printf %s secret-user | sha256sum`
    let digest = "46274a073902f77a799cbca1d9643bff3d465a0398596bab2d630bcad2a9b3d1";
    assert_eq!(sent.matches(digest).count(), 3, "{sent}");
}

#[test]
fn the_agent_replaces_texts_in_messages() {
    let start = |values: Values<'_>, lines: &[&str]| {
        let mut collector = Collector::start(&configuration("logs", values));
        collector.log("production_shop-audit-event-generator-5d9f7c6b8-x7x2k_0a1b", &[lines, &["the end"]].concat());
        collector.sent_until("the end")
    };
    let values = example("logs");
    let values: Vec<_> = values.iter().map(|(path, value)| (path.as_str(), value.clone())).collect();
    let lines = [
        "failed login of user 'secret-name' on 'web-1'",
        r#"{"user_id": "secret-name", "ip_address": "secret-address", "action_result": "FAILURE"}"#,
        "Traceback (most recent call last):",
        r#"  File "/app/main.py", line 12, in handle"#,
        "ValueError: user 'secret-name' is unknown",
    ];
    let sent = start(&values, &lines);
    assert!(!sent.contains("secret-"), "{sent}");
    for whole in [
        "failed login of user '…' on 'web-1'",
        r#"{\"user_id\": \"…\", \"ip_address\": \"…\", \"action_result\": \"FAILURE\"}"#,
        "ValueError: user '…' is unknown",
        "shop-audit-event-generator-5d9f7c6b8-x7x2k",
    ] {
        assert!(sent.contains(whole), "{whole} is not in {sent}");
    }

    // Every sign that YAML, the Collector or its language could take for its own.
    let replace = json!([
        { "pattern": r#"<"(\w+)" \$\{x\} \\ \{\{ y \}\} é: #>"#, "with": r#"[${1} $$ \ " ${{x}} : #]"# },
    ]);
    let sent = start(&[("privacy.replace", replace)], &[r#"a <"name" ${x} \ {{ y }} é: #> b"#]);
    assert!(sent.contains(r#"a [name $ \\ \" "#), "{sent}");
}

#[test]
fn an_expression_that_the_collector_rejects_is_refused() {
    let replace = |pattern: &str| {
        [("privacy.replace", json!([{ "pattern": "a", "with": "" }, { "pattern": pattern, "with": "" }]))]
    };
    let no_expression = "which is no regular expression in the syntax RE2. Correct it; write a backslash before";
    for (pattern, says) in [
        ("(user", no_expression),
        ("user)", no_expression),
        ("[a-", no_expression),
        ("user(?=x)", no_expression),
        (r"user\", no_expression),
        ("*", no_expression),
        ("x*", "which matches the empty text, so the replacement would be everywhere. Write an expression for"),
        ("", "at '/privacy/replace/1/pattern'"),
    ] {
        for tool in [Tool::Helm3, Tool::Helm4] {
            let message = further::render("logs", tool, &replace(pattern)).expect_err("it is refused");
            assert!(message.contains(says), "{pattern} without `{says}`: {message}");
            let path = format!("privacy.replace[1].pattern is {pattern}, ");
            assert!(pattern.is_empty() || message.contains(&path), "{message}");
        }
    }
    let unknown = [("privacy.replace", json!([{ "pattern": "a", "with": "", "flags": "i" }]))];
    assert!(
        further::render("logs", Tool::Helm4, &unknown).is_err_and(|message| message.contains("/privacy/replace/0"))
    );
}
