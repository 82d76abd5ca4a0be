//! The type of a scalar, by the rules of go-yaml v2 (`resolve.go`) and of Helm's conversion to JSON.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_yaml::{Number, Value};

use crate::{Reason, tagged};

/// The beginning of the tags of YAML itself, which are written `!!str`.
pub(crate) const YAML: &str = "tag:yaml.org,2002:";

/// The tag of the key `<<`.
pub(crate) const MERGE: &str = "tag:yaml.org,2002:merge";

/// The value of a scalar. `is_plain` says that it has neither quotes nor a tag.
pub(crate) fn value(tag: Option<&str>, text: String, is_plain: bool) -> Result<Value, Reason> {
    let Some(tag) = tag.filter(|tag| *tag != "!") else {
        return if is_plain { plain(&text).map(|found| found.unwrap_or(Value::String(text))) } else { Ok(text.into()) };
    };
    let Some(of_yaml) = tag.strip_prefix(YAML) else { return Ok(tagged(Some(tag.to_owned()), text.into())) };
    match of_yaml {
        "bool" | "int" | "float" | "null" => typed(of_yaml, &text),
        // A date becomes a string again.
        "timestamp" if !is_date(&text) => Err(Reason::Tag),
        "binary" => {
            // As Go's decoder, which skips line breaks.
            let joined = text.replace(['\r', '\n'], "");
            let bytes = BASE64_STANDARD.decode(joined).map_err(|_| Reason::Tag)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned().into())
        }
        // `!!str`, and every tag without a meaning for a scalar.
        _ => Ok(text.into()),
    }
}

/// The value of a scalar with one of the tags `!!bool`, `!!int`, `!!float` and `!!null`.
fn typed(tag: &str, text: &str) -> Result<Value, Reason> {
    match (tag, plain(text)?) {
        ("bool", Some(value @ Value::Bool(_))) | ("null", Some(value @ Value::Null)) => Ok(value),
        ("int", Some(Value::Number(number))) if !number.is_f64() => Ok(Value::Number(number)),
        ("float", Some(Value::Number(number))) => Ok(number.as_f64().map_or(Value::Number(number), Value::from)),
        _ => Err(Reason::Tag),
    }
}

/// The value of a plain scalar; `None` for a string.
fn plain(text: &str) -> Result<Option<Value>, Reason> {
    let value = match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => true.into(),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => false.into(),
        ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf" | "-.Inf"
        | "-.INF" => return Err(Reason::NotFinite),
        _ => return Ok(number(text).map(Value::Number)),
    };
    Ok(Some(value))
}

fn number(text: &str) -> Option<Number> {
    match text.bytes().next()? {
        b'.' => {
            // Go's own syntax of numbers allows an underscore between two digits.
            let is_between = |at: usize| {
                let digit =
                    |at: Option<usize>| at.and_then(|at| text.as_bytes().get(at)).is_some_and(u8::is_ascii_digit);
                digit(at.checked_sub(1)) && digit(Some(at + 1))
            };
            let is_go = text.match_indices('_').all(|(at, _)| is_between(at));
            if is_go { decimal(&text.replace('_', "")) } else { None }
        }
        b'+' | b'-' | b'0'..=b'9' => {
            let digits = text.replace('_', "");
            integer(&digits).or_else(|| decimal(&digits))
        }
        _ => None,
    }
}

/// An integer as Go's `ParseInt` and `ParseUint` read it with base 0: a prefix selects the base, and a leading zero base 8.
fn integer(text: &str) -> Option<Number> {
    let (is_negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = unsigned.to_ascii_lowercase();
    let (base, digits) = match lower.get(..2) {
        Some("0x") => (16, &lower[2..]),
        Some("0o") => (8, &lower[2..]),
        Some("0b") => (2, &lower[2..]),
        Some(_) if lower.starts_with('0') => (8, &lower[1..]),
        _ => (10, lower.as_str()),
    };
    // Rust takes a sign here.
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(base)) {
        return None;
    }
    if is_negative {
        return i64::from_str_radix(&format!("-{digits}"), base).ok().map(Number::from);
    }
    let number = u64::from_str_radix(digits, base).ok()?;
    // ParseUint takes no sign.
    (!text.starts_with('+') || i64::try_from(number).is_ok()).then(|| number.into())
}

/// A decimal number of the form that go-yaml requires. One that is too large is a string.
fn decimal(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let is_number = is_digits(whole) && is_digits(fraction) && !(whole.is_empty() && fraction.is_empty());
    let is_power = exponent.is_none_or(|power| {
        let digits = power.strip_prefix(['+', '-']).unwrap_or(power);
        !digits.is_empty() && is_digits(digits)
    });
    let number = (is_number && is_power).then(|| text.parse::<f64>().ok())??;
    number.is_finite().then(|| number.into())
}

/// Whether a text looks like a date: the quick test of go-yaml.
fn is_date(text: &str) -> bool {
    let year = text.bytes().take_while(u8::is_ascii_digit).count();
    year == 4 && text.as_bytes().get(4) == Some(&b'-')
}
