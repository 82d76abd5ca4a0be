use std::fs;
use std::process::Command;

use release::{packages, write};
use serde_json::{Value, json};
use tools::Tool;

use crate::support::{Folder, TIME, in_version, platform, resolved, time};

#[test]
fn two_releases_of_a_commit_are_the_same_files() {
    let platform = resolved(platform());
    let (one, two) = (Folder::new(), Folder::new());
    for folder in [&one, &two] {
        let packaged = packages(&platform, &time()).unwrap();
        let names: Vec<_> = packaged.iter().map(|one| one.package.name.as_str()).collect();
        assert_eq!(names, ["shop-floor", "shop-floor-dashboards", "shop-floor-logs"]);
        assert_eq!(write(&packaged, None, &time(), &folder.path).unwrap().files.len(), 6);
    }
    for entry in one.path.read_dir_utf8().unwrap() {
        let name = entry.unwrap().file_name().to_owned();
        assert!(fs::read(one.path.join(&name)).unwrap() == fs::read(two.path.join(&name)).unwrap(), "{name}");
    }
    // A second run changes nothing.
    let packaged = packages(&platform, &time()).unwrap();
    write(&packaged, None, &time(), &one.path).unwrap();
}

#[test]
fn a_file_with_other_content_is_never_replaced() {
    let packaged = packages(&resolved(platform()), &time()).unwrap();
    let folder = Folder::new();
    let archive = folder.path.join("shop-floor-2.0.0.tgz");
    fs::write(&archive, "other").unwrap();
    let error = write(&packaged, None, &time(), &folder.path).unwrap_err().to_string();
    assert!(error.starts_with("nothing was written: ") && error.contains("shop-floor-2.0.0.tgz"), "{error}");
    assert_eq!(fs::read(&archive).unwrap(), b"other");
    assert_eq!(folder.path.read_dir_utf8().unwrap().count(), 1);
}

#[test]
fn the_list_of_images_is_valid_cyclonedx_and_complete() {
    let packaged = packages(&in_version("2.0.0"), &time()).unwrap();
    let document: Value = serde_json::from_str(&packaged[0].images).unwrap();
    assert_eq!(document["metadata"]["timestamp"], TIME);
    assert_eq!(document["metadata"]["component"]["licenses"], json!([{ "expression": "Apache-2.0" }]));
    let components = document["components"].as_array().unwrap();
    let names: Vec<_> = components.iter().map(|one| one["name"].as_str().unwrap()).collect();
    for name in ["shop/web", "shop/shipper", "rabbitmq", "registry.example.org:5000/mq/rabbitmq", "valkey/valkey"] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    let shipper = components.iter().find(|one| one["name"] == "shop/shipper").unwrap();
    assert_eq!(shipper["description"], "The installer names the tag or the digest: whoever ships builds it");
    // Helm validates values by any JSON schema: here the values are the document, and the schema is the official one.
    let folder = Folder::new();
    let schemas = tools::cyclonedx_schemas().unwrap();
    let mut schema: Value =
        serde_json::from_str(&fs::read_to_string(schemas.join("bom-1.6.schema.json")).unwrap()).unwrap();
    // Helm loads no other files. The document has no signature, and its licences are expressions.
    schema["definitions"]["other"] = json!({});
    let text = schema.to_string().replace("spdx.schema.json", "#/definitions/other");
    let text = text.replace("jsf-0.82.schema.json#/definitions/signature", "#/definitions/other");
    fs::create_dir(folder.path.join("templates")).unwrap();
    fs::write(folder.path.join("Chart.yaml"), "apiVersion: v2\nname: list\nversion: 0.0.0\n").unwrap();
    fs::write(folder.path.join("values.schema.json"), &text).unwrap();
    let helm = Tool::Helm4.ensure().unwrap();
    let validate = |document: &Value| {
        let mut document = document.clone();
        // Helm adds `global` to the values of a chart, and the schema allows no further keys.
        document.as_object_mut().unwrap().remove("global");
        fs::write(folder.path.join("list.json"), document.to_string()).unwrap();
        let mut command: Command = helm.command();
        command.args(["template", "list", folder.path.as_str(), "--values", folder.path.join("list.json").as_str()]);
        let output = command.output().unwrap();
        output.status.success().then_some(()).ok_or(String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for one in &packaged {
        validate(&serde_json::from_str(&one.images).unwrap()).unwrap();
    }
    // The validation is one: it finds a wrong type, an unknown word and an unknown key.
    for (pointer, wrong) in
        [("/components/0/type", json!("picture")), ("/version", json!("one")), ("/components/0/colour", json!("red"))]
    {
        let mut broken = document.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let target = if parent.is_empty() { &mut broken } else { broken.pointer_mut(parent).unwrap() };
        target[key] = wrong;
        validate(&broken).expect_err(pointer);
    }
}
