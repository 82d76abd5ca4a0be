//! The list of the images that a chart installs: a `CycloneDX` document.
//!
//! It is written with `serde_json`: the document has a dozen of the format's hundreds of fields, and the crates for the format bring parsers of XML and of
//! licence expressions. A test validates it against the official schema.

use chart_package::Package;
use generator::PublishedImage;
use serde_json::{Value, json};
use vocabulary::{DefaultTag, Image};

use crate::sha256;

/// The list for a package, as text.
pub(crate) fn document(
    package: &Package,
    images: &[PublishedImage],
    licence: Option<&str>,
    time: &str,
) -> anyhow::Result<String> {
    let digest = sha256(&package.archive);
    let mut chart = json!({
        "type": "application",
        "bom-ref": package.name,
        "name": package.name,
        "version": package.version,
        "hashes": [{ "alg": "SHA-256", "content": digest }],
    });
    if let Some(expression) = licence {
        chart["licenses"] = json!([{ "expression": expression }]);
    }
    let components: Vec<_> = images.iter().filter(|one| one.chart == package.name).map(component).collect();
    let references: Vec<_> = components.iter().map(|one| one["bom-ref"].clone()).collect();
    let document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": serial_number(&digest),
        "version": 1,
        "metadata": { "timestamp": time, "component": chart },
        "components": components,
        "dependencies": [{ "ref": package.name, "dependsOn": references }],
    });
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn component(one: &PublishedImage) -> Value {
    let image = one.image;
    let mut component = json!({
        "type": "container",
        "bom-ref": format!("{}/{}", one.chart, one.name),
        "name": image.repository.as_str(),
    });
    if let DefaultTag::Fixed(tag) = image.tag {
        component["version"] = tag.as_str().into();
    }
    if let Some(digest) = image.digest {
        let hex = digest.as_str().trim_start_matches("sha256:");
        component["hashes"] = json!([{ "alg": "SHA-256", "content": hex }]);
    }
    if let Some(purl) = purl(image) {
        component["purl"] = purl.into();
    }
    let reason = match image.tag {
        DefaultTag::Absent(reason) if image.digest.is_none() => reason,
        _ => return component,
    };
    component["description"] = format!("The installer names the tag or the digest: {reason}").into();
    component
}

/// The package URL of an image: of type `oci` with a digest, which that type needs, and otherwise of type `docker`. None for an image without either.
fn purl(image: Image) -> Option<String> {
    let repository = image.repository.as_str();
    let (first, rest) = repository.split_once('/').unwrap_or(("", repository));
    let is_registry = first.contains(['.', ':']) || first == "localhost";
    let (registry, path) = if is_registry { (first, rest) } else { ("docker.io", repository) };
    let (namespace, name) = path.rsplit_once('/').unwrap_or(("library", path));
    let tag = match image.tag {
        DefaultTag::Fixed(tag) => Some(tag.as_str()),
        DefaultTag::Absent(_) => None,
    };
    match (image.digest, tag) {
        (Some(digest), tag) => {
            let url = escaped(&format!("{registry}/{namespace}/{name}"));
            let tag = tag.map_or(String::new(), |tag| format!("&tag={tag}"));
            Some(format!("pkg:oci/{name}@{}?repository_url={url}{tag}", escaped(digest.as_str())))
        }
        (None, Some(tag)) => Some(format!("pkg:docker/{namespace}/{name}@{tag}?repository_url={}", escaped(registry))),
        (None, None) => None,
    }
}

/// Text in a package URL.
fn escaped(text: &str) -> String {
    text.replace(':', "%3A").replace('/', "%2F")
}

/// A UUID (version 8, RFC 9562) from the digest of the archive, so that the same release has the same list.
fn serial_number(digest: &str) -> String {
    let variant = match digest.as_bytes().get(16) {
        Some(b'0' | b'4' | b'8' | b'c') => '8',
        Some(b'1' | b'5' | b'9' | b'd') => '9',
        Some(b'2' | b'6' | b'a' | b'e') => 'a',
        _ => 'b',
    };
    let part = |range: std::ops::Range<usize>| digest.get(range).unwrap_or_default();
    format!("urn:uuid:{}-{}-8{}-{variant}{}-{}", part(0..8), part(8..12), part(13..16), part(17..20), part(20..32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_url_names_registry_path_and_version() {
        const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        let cases = [
            (Image::new("postgres", "18"), Some("pkg:docker/library/postgres@18?repository_url=docker.io")),
            (Image::new("valkey/valkey", "9"), Some("pkg:docker/valkey/valkey@9?repository_url=docker.io")),
            (
                Image::new("registry.example.org:5000/mq/a/b", "1"),
                Some("pkg:docker/mq/a/b@1?repository_url=registry.example.org%3A5000"),
            ),
            (Image::without_tag("a/b", "moves"), None),
        ];
        for (image, expected) in cases {
            assert_eq!(purl(image).as_deref(), expected);
        }
        let pinned = purl(Image::new("quay.io/a/b", "1").digest(DIGEST)).expect("a package URL");
        let expected = format!("pkg:oci/b@{}?repository_url=quay.io%2Fa%2Fb&tag=1", DIGEST.replace(':', "%3A"));
        assert_eq!(pinned, expected);
    }

    #[test]
    fn a_serial_number_is_a_uuid_of_version_8() {
        let text = serial_number(&"0123456789abcdef".repeat(4));
        assert_eq!(text, "urn:uuid:01234567-89ab-8def-8123-456789abcdef");
    }
}
