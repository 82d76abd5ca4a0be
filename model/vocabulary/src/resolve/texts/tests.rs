use super::CODES;
use crate::kinds::rabbitmq::tests::{BROKER, ENV};
use crate::testing::{check, diagnostics, fix, list, platform, service};
use crate::{
    ApiRule, Backing, Diagnostic, Environment, Health, Image, Platform, Python3, RabbitMq, Service, ServiceName,
    Variable, consumes, setting, variable,
};

/// A platform with a text in every place that takes one.
fn with(text: &'static str) -> Platform {
    let broker = RabbitMq { image: Image::without_tag("example/broker", text), ..BROKER };
    let queue = BROKER.queue("orders").published_externally(text).consumed_externally(text);
    let client = BROKER.client(ENV, list([consumes(queue, variable("QUEUE"))])).never_reconnects(text);
    let reader = Service {
        doc: text,
        personal_log: Some(text),
        image: Image::without_tag("example/reader", text),
        uses: list([client]),
        health: Health::by_connections(Python3),
        environment: list([Variable::text("TITLE", "The shop\nis open", text), Variable::secret("TOKEN", text)]),
        kubernetes: list([ApiRule::new(text, "", &["configmaps"], &["get"])]),
        ..service("reader")
    };
    Platform {
        doc: text,
        home: text,
        backing: vec![Backing::RabbitMq(broker)],
        environments: vec![Environment::new("test", text, &[])],
        ..platform([reader])
    }
}

#[track_caller]
fn described(doc: &'static str) -> Platform {
    platform([Service { doc, ..service("web") }])
}

#[track_caller]
fn sets(value: &'static str) -> Platform {
    platform([Service { environment: list([Variable::fixed("SEPARATOR", value)]), ..service("web") }])
}

/// A platform with an environment in which a text has this value.
#[track_caller]
fn changed(value: &'static str) -> Platform {
    let title = Variable::text("TITLE", "The shop", "The title of every page.");
    let changes = list([setting(ServiceName::new("web"), variable("TITLE"), value)]);
    Platform {
        environments: vec![Environment::new("live", "Where customers are.", changes)],
        ..platform([Service { environment: list([title]), ..service("web") }])
    }
}

#[test]
fn every_help_can_be_followed() {
    check(
        "texts",
        CODES,
        vec![
            fix(
                "TextNotOneLine",
                described("Shows articles.\nTakes orders."),
                [described("Shows articles, takes orders.")],
            ),
            fix("TextNotOneLine", described(" "), [described("Shows articles.")]),
            fix("VariableValue", sets("\0"), [sets("MA=="), sets("0")]),
            fix("VariableValue", sets("x".repeat(1 << 17).leak()), [sets("x")]),
            fix("VariableValue", changed("The\0shop"), [changed("The shop")]),
        ],
    );
}

#[test]
fn every_text_is_one_line() {
    assert!(with("A text.").resolve().is_ok());
    for text in ["", "two\nlines", "\u{feff}a mark", "a\u{2028}separator", "\u{1b}[31mred", "\r\n"] {
        let diagnostics = diagnostics(with(text));
        assert!(diagnostics.as_slice().iter().all(|d| d.code() == "TextNotOneLine"), "{diagnostics}");
        assert_eq!(diagnostics.as_slice().len(), 13, "{diagnostics}");
    }
}

#[test]
fn values_are_as_long_as_linux_allows() {
    let longest = 128 * 1024 - "SEPARATOR=\0".len();
    assert!(sets("x".repeat(longest).leak()).resolve().is_ok());
    let diagnostics = diagnostics(sets("x".repeat(longest + 1).leak()));
    assert_eq!(diagnostics.as_slice().iter().map(Diagnostic::code).collect::<Vec<_>>(), ["VariableValue"]);
}
