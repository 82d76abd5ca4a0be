//! `new` keeps everything that it need not change.

use generator::yaml;
use insta::assert_snapshot;
use serde_yaml::Value;

use crate::support::{Checkout, FILE, complete, text, with};

/// Passwords with characters that are hard to preserve in YAML.
const AWKWARD: [&str; 40] = [
    r#"double " and single ' quotes"#,
    r"back\slash \n \\ \u0041 and at the end \",
    "$HOME $(id) ${X} `id` $$",
    "{{ .Values.x }} {{- fail \"x\" -}} }}",
    " spaces before, within  and after ",
    "\ttab",
    "line\nbreak",
    "line break at the end\n",
    "\n\n  indented\n lines\n\n",
    "windows\r\nline",
    "Ünïcödé — Пароль 密码 🔑",
    "e\u{301} is not \u{e9}",
    "no\u{a0}break, \u{200b}nothing, \u{2028}line, \u{85}next, \u{feff}mark",
    "\u{7f}\u{1}\u{1b}",
    "# no comment",
    "a #b: c",
    "key: value",
    "- item",
    "? key",
    "[a, b]",
    "{a: b}",
    "&anchor",
    "*alias",
    "!tag x",
    "|",
    "> folded",
    "%TAG",
    "@at `tick",
    "---",
    "yes",
    "NO",
    "null",
    "~",
    "0777",
    "0x1F",
    "1_000",
    "1e3",
    "12:30:45",
    "2001-01-01",
    ".inf",
];

/// Values in which every credential and some further keys have awkward texts.
fn awkward() -> Value {
    let passwords = crate::support::credentials().into_iter().zip(AWKWARD);
    let values = passwords.fold(complete(), |values, (one, password)| with(values, &one.value.join("/"), password));
    let more = AWKWARD.iter().enumerate();
    let values = more.fold(values, |values, (at, value)| with(values, &format!("further/value{at}"), *value));
    // sops 3.13 writes invalid YAML for a multi-line list item that begins with white space, also when run by itself.
    let list = AWKWARD.into_iter().filter(|value| !value.starts_with('\n'));
    with(values, "further/list", list.collect::<Vec<_>>())
}

/// Rotates one credential of a file with awkward passwords; all other values must stay the same.
fn survives(checkout: &Checkout, more: &[&str]) {
    checkout.write(FILE, &text(&awkward()));
    let out = checkout.on_file("new", &[&["--rotate", "redis.administrator"], more].concat());
    assert_eq!(out.code, Some(0), "{}", out.err);
    let mut now = checkout.values();
    for field in ["password", "revision"] {
        let path = format!("redis/credentials/administrator/{field}");
        let old = awkward()["redis"]["credentials"]["administrator"][field].clone();
        assert_ne!(now["redis"]["credentials"]["administrator"][field], old);
        now = with(now, &path, old);
    }
    assert_eq!(now, awkward());
}

#[test]
fn awkward_passwords_survive_without_encryption() {
    survives(&Checkout::without_rules(), &["--plaintext"]);
}

#[test]
fn awkward_passwords_survive_sops() {
    let checkout = Checkout::new();
    survives(&checkout, &[]);
    // Once more, starting from the file that sops wrote.
    checkout.on_file("new", &["--rotate", "rabbitmq.administrator"]).success();
    assert_eq!(checkout.values()["further"], awkward()["further"]);
}

const BY_HAND: &str = r#"# ours
notification-service: # the service
  # asked Ann
  replicas: 3
  credentials:
    rabbitmq:
      password: "by hand: kJ8#mQ2$vL5" # until May
    postgresql: {password: 'p9Lq2Xv7Rk4Tn8Wz'}
global:
  images: [a, b]   # two
  weight: 0.50
"#;

#[test]
fn comments_and_layout_stay_in_an_unencrypted_file() {
    let checkout = Checkout::without_rules();
    checkout.write(FILE, BY_HAND);
    checkout.on_file("new", &["--plaintext"]).success();
    let made = checkout.read(FILE);
    let (first, rest) = made.split_once("audit-event-generator:").unwrap();
    assert_eq!(first, BY_HAND);
    assert!(!rest.contains('#'));

    checkout.on_file("new", &["--plaintext", "--rotate", "notification-service.rabbitmq"]).success();
    // The password is quoted if it begins with a digit.
    let password = yaml::write(&checkout.passwords()["notification-service.rabbitmq"].as_str().into());
    let line = format!("password: {password} # until May\n      revision: 2\n");
    let expected = BY_HAND.replace("password: \"by hand: kJ8#mQ2$vL5\" # until May\n", &line);
    assert_eq!(checkout.read(FILE), format!("{expected}audit-event-generator:{rest}"));

    // Braces stay as well.
    checkout.on_file("new", &["--plaintext", "--rotate", "notification-service.postgresql"]).success();
    let password = yaml::write(&checkout.passwords()["notification-service.postgresql"].as_str().into());
    let expected =
        expected.replace("{password: 'p9Lq2Xv7Rk4Tn8Wz'}", &format!("{{password: {password}, revision: 2}}"));
    assert_eq!(checkout.read(FILE), format!("{expected}audit-event-generator:{rest}"));
}

#[test]
fn comments_are_lost_with_a_message_where_an_alias_is_replaced() {
    let checkout = Checkout::without_rules();
    checkout.write(
        FILE,
        &BY_HAND
            .replace("{password: 'p9Lq2Xv7Rk4Tn8Wz'}", "*shared")
            .replace("# ours\n", "# ours\nshared: &shared {password: 'p9Lq2Xv7Rk4Tn8Wz'}\n"),
    );
    let output = checkout.on_file("new", &["--plaintext", "--rotate", "notification-service.postgresql"]).success();
    assert_snapshot!(output.lines().skip(1).take(2).collect::<Vec<_>>().join("\n"), @"
      replaced  notification-service.postgresql, now revision 2
    The file's comments are lost: to change a value behind an alias, the command wrote the whole file again.
    ");
    let text = checkout.read(FILE);
    assert!(!text.contains("# ") && text.contains("shared:\n  password: p9Lq2Xv7Rk4Tn8Wz\n"), "{text}");
}

#[test]
fn comments_stay_in_an_encrypted_file() {
    let checkout = Checkout::new();
    checkout.write(FILE, BY_HAND);
    checkout.on_file("new", &[]).success();
    for comment in ["ours", "asked Ann", "until May"] {
        assert!(
            !checkout.read(FILE).contains(comment),
            "comments are encrypted too, because they may reveal something"
        );
    }
    checkout.on_file("new", &["--rotate", "notification-service.rabbitmq"]).success();
    // sops moves a comment from the end of a line to the line above, and replaces braces by block style.
    let password = &checkout.passwords()["notification-service.rabbitmq"];
    let clear = checkout.clear_text().replace(password, "PASSWORD");
    assert_snapshot!(clear.split_once("audit-event-generator:").unwrap().0, @"
    # ours
    # the service
    notification-service:
        # asked Ann
        replicas: 3
        credentials:
            rabbitmq:
                # until May
                password: PASSWORD
                revision: 2
            postgresql:
                password: p9Lq2Xv7Rk4Tn8Wz
    global:
        images:
            # two
            - a
            - b
        weight: 0.5
    ");
}

#[test]
fn files_that_cannot_be_changed_are_rejected() {
    let checkout = Checkout::new();
    for (text, path) in [
        ("rabbitmq:\n  credentials: none\n", "`rabbitmq.credentials` is not a map"),
        ("- a\n", "`the whole file` is not a map"),
        ("a: \"b\nc: d\n", "invalid YAML"),
        ("a: 1\n---\nb: 1\n", "more than one YAML document"),
        ("a: !mine b\nb: &b {c: d}\nrabbitmq: *b\n", "would be lost"),
    ] {
        checkout.write(FILE, text);
        let said = checkout.on_file("new", &[]).failure(1);
        assert!(said.contains(path), "{said}");
        assert_eq!(checkout.read(FILE), text);
    }
    let credential = "rabbitmq/credentials/administrator";
    for revision in [Value::from(9999), 0.into(), "2".into(), Value::Null] {
        let before = text(&with(complete(), &format!("{credential}/revision"), revision));
        checkout.write(FILE, &before);
        let said = checkout.on_file("new", &["--rotate", "rabbitmq.administrator"]).failure(1);
        assert!(said.contains("`rabbitmq.credentials.administrator.revision` in env/secrets-dev.yaml is "), "{said}");
        assert_eq!(checkout.read(FILE), before);
    }
}
