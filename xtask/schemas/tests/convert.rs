//! The converter on small documents: closed objects, accepted nulls and errors.

use schemas::{ConvertError, custom_resources, kubernetes};
use serde_json::{Value, json};

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
const QUANTITY: &str = "io.k8s.apimachinery.pkg.api.resource.Quantity";

/// A document with one kind, `apps/v1` `Demo`, with this spec.
fn swagger(spec: &Value) -> Value {
    json!({ "definitions": {
        META: { "type": "object", "properties": {
            "labels": { "type": "object", "additionalProperties": { "type": "string" } },
            "name": { "type": "string", "description": "its name" },
        } },
        QUANTITY: { "type": "string" },
        "IntOrString": { "type": "string", "format": "int-or-string" },
        "Demo": {
            "type": "object",
            "properties": {
                "apiVersion": { "type": "string" },
                "kind": { "type": "string" },
                "metadata": { "$ref": format!("#/definitions/{META}") },
                "spec": { "$ref": "#/definitions/Spec" },
            },
            "x-kubernetes-group-version-kind": [{ "group": "apps", "kind": "Demo", "version": "v1" }],
        },
        "Spec": spec,
    } })
}

fn spec_of(spec: &Value) -> Value {
    let files = kubernetes(&swagger(spec)).expect("a conversion");
    files["demo-apps-v1.json"]["properties"]["spec"].clone()
}

#[test]
fn every_object_is_closed_and_references_are_resolved() {
    let files = kubernetes(&swagger(&json!({ "type": "object", "properties": {} }))).expect("a conversion");
    let closed = json!({
        "type": "object",
        "properties": {
            "apiVersion": { "type": "string", "enum": ["apps/v1"] },
            "kind": { "type": "string", "enum": ["Demo"] },
            "metadata": {
                "type": ["object", "null"],
                "properties": {
                    "labels": { "type": ["object", "null"], "additionalProperties": { "type": ["string", "null"] } },
                    "name": { "type": ["string", "null"] },
                },
                "additionalProperties": false,
            },
            "spec": { "type": ["object", "null"], "properties": {}, "additionalProperties": false },
        },
        "additionalProperties": false,
    });
    assert_eq!(files["demo-apps-v1.json"], closed);
    assert_eq!(files.len(), 1);
}

#[test]
fn null_is_accepted_for_optional_fields() {
    let spec = spec_of(&json!({
        "type": "object",
        "required": ["needed"],
        "properties": {
            "needed": { "type": "integer", "format": "int32" },
            "free": { "type": "array", "items": { "type": "string" } },
        },
    }));
    assert_eq!(spec["properties"]["needed"], json!({ "type": "integer", "format": "int32" }));
    assert_eq!(
        spec["properties"]["free"],
        json!({ "type": ["array", "null"], "items": { "type": ["string", "null"] } })
    );
    assert_eq!(spec["required"], json!(["needed"]));
}

#[test]
fn fields_that_kubernetes_declares_so_accept_numbers_and_strings() {
    let spec = spec_of(&json!({
        "type": "object",
        "required": ["port", "cpu"],
        "properties": {
            "port": { "$ref": "#/definitions/IntOrString" },
            "cpu": { "$ref": format!("#/definitions/{QUANTITY}") },
        },
    }));
    assert_eq!(spec["properties"]["port"], json!({ "type": ["integer", "string"] }));
    assert_eq!(spec["properties"]["cpu"]["type"], json!(["string", "number"]));
}

#[test]
fn a_recursive_definition_is_open() {
    let spec = spec_of(&json!({
        "type": "object",
        "properties": { "not": { "$ref": "#/definitions/Spec" }, "name": { "type": "string" } },
    }));
    assert_eq!(spec["properties"]["not"], json!({ "type": ["object", "null"] }));
    assert_eq!(spec["additionalProperties"], json!(false));
}

#[test]
fn an_object_without_properties_is_any_object() {
    assert_eq!(spec_of(&json!({ "type": "object" })), json!({ "type": ["object", "null"] }));
}

#[test]
fn unsupported_schemas_are_errors() {
    let converted = kubernetes(&swagger(&json!({ "type": "object", "patternProperties": {} })));
    assert!(
        matches!(&converted, Err(ConvertError::Keyword { keyword, place })
            if keyword == "patternProperties" && place == "Demo, Spec"),
        "{converted:?}"
    );
    let converted = kubernetes(&swagger(&json!({ "properties": { "a": { "$ref": "#/definitions/Gone" } } })));
    assert!(matches!(&converted, Err(ConvertError::Dangling(name)) if name == "Gone"), "{converted:?}");
    assert!(matches!(kubernetes(&json!({ "definitions": {} })), Err(ConvertError::Shape(_))));
    assert!(matches!(kubernetes(&json!({})), Err(ConvertError::Shape(_))));
}

#[test]
fn lists_and_responses_are_not_converted() {
    let mut document = swagger(&json!({ "type": "object" }));
    document["definitions"]["DemoList"] = json!({
        "type": "object",
        "properties": { "metadata": { "$ref": "#/definitions/ListMeta" } },
        "x-kubernetes-group-version-kind": [{ "group": "apps", "kind": "DemoList", "version": "v1" }],
    });
    let files = kubernetes(&document).expect("a conversion");
    assert_eq!(files.into_keys().collect::<Vec<_>>(), ["demo-apps-v1.json"]);
}

#[test]
fn file_names_are_the_ones_kubeconform_looks_for() {
    let named = |group: &str| {
        let mut document = swagger(&json!({ "type": "object" }));
        document["definitions"]["Demo"]["x-kubernetes-group-version-kind"][0]["group"] = json!(group);
        kubernetes(&document).expect("a conversion").into_keys().collect::<Vec<_>>()
    };
    assert_eq!(named(""), ["demo-v1.json"]);
    assert_eq!(named("networking.k8s.io"), ["demo-networking-v1.json"]);

    let mut document = swagger(&json!({ "type": "object" }));
    let kinds = json!([
        { "group": "apps", "kind": "Demo", "version": "v1" },
        { "group": "apps.example.com", "kind": "Demo", "version": "v1" },
    ]);
    document["definitions"]["Demo"]["x-kubernetes-group-version-kind"] = kinds;
    assert!(matches!(kubernetes(&document), Err(ConvertError::Collision(_))));
}

const CRD: &str = r"
apiVersion: v1
kind: Namespace
metadata: {name: beside}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  names: {kind: Thing, plural: things}
  scope: Namespaced
  versions:
    - {name: v1alpha1, served: false, storage: false, schema: {openAPIV3Schema: {type: object}}}
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          required: [spec]
          properties:
            apiVersion: {type: string}
            kind: {type: string}
            metadata: {type: object}
            spec:
              type: object
              description: what it should be
              properties:
                empty: {type: object}
                free: {type: object, x-kubernetes-preserve-unknown-fields: true, properties: {a: {type: string}}}
                list: {type: array, items: {type: string}, maxItems: 3}
                mode: {type: string, enum: [one, two], default: one}
                port: {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}], pattern: '^\d+$'}
                void: {type: string, nullable: true}
              required: [void]
              oneOf:
                - {required: [mode], properties: {mode: {enum: [one]}}}
                - {required: [port]}
";

#[test]
fn custom_resources_are_closed_apart_from_what_they_leave_open() {
    let files = custom_resources(CRD, &swagger(&json!({ "type": "object" }))).expect("a conversion");
    assert_eq!(files.keys().collect::<Vec<_>>(), ["example.com/thing_v1.json"]);
    let schema = &files["example.com/thing_v1.json"];
    assert_eq!(schema["properties"]["apiVersion"]["enum"], json!(["example.com/v1"]));
    assert_eq!(schema["properties"]["metadata"]["additionalProperties"], json!(false));
    assert_eq!(schema["additionalProperties"], json!(false));
    assert_eq!(
        schema["properties"]["spec"],
        json!({
            "type": "object",
            "properties": {
                "empty": { "type": ["object", "null"], "additionalProperties": false },
                "free": { "type": ["object", "null"], "properties": { "a": { "type": ["string", "null"] } } },
                "list": { "type": ["array", "null"], "items": { "type": "string" }, "maxItems": 3 },
                "mode": { "type": ["string", "null"], "enum": ["one", "two", null] },
                "port": { "type": ["integer", "string", "null"], "pattern": "^\\d+$" },
                "void": { "type": ["string", "null"] },
            },
            "required": ["void"],
            "anyOf": [
                { "required": ["mode"], "properties": { "mode": { "enum": ["one"] } } },
                { "required": ["port"] },
            ],
            "additionalProperties": false,
        })
    );
}

#[test]
fn a_field_with_a_default_may_be_absent() {
    let crd = CRD.replace("required: [void]", "required: [void, mode]");
    let files = custom_resources(&crd, &swagger(&json!({ "type": "object" }))).expect("a conversion");
    let spec = &files["example.com/thing_v1.json"]["properties"]["spec"];
    assert_eq!(spec["required"], json!(["void"]));
    // The API server may set `mode`, so both alternatives may match before.
    assert_eq!(spec["anyOf"].as_array().map(Vec::len), Some(2));
    assert_eq!(spec.get("oneOf"), None);

    let files = custom_resources(&crd.replace(", default: one", ""), &swagger(&json!({ "type": "object" })));
    let spec = &files.expect("a conversion")["example.com/thing_v1.json"]["properties"]["spec"];
    assert_eq!(spec["required"], json!(["void", "mode"]));
    assert_eq!(spec["oneOf"].as_array().map(Vec::len), Some(2));
}

#[test]
fn broken_documents_are_errors() {
    let swagger = swagger(&json!({ "type": "object" }));
    assert!(matches!(custom_resources("a: [", &swagger), Err(ConvertError::Syntax(_))));
    let half = "kind: CustomResourceDefinition\nspec: {group: example.com}\n";
    assert!(matches!(custom_resources(half, &swagger), Err(ConvertError::Shape(_))));
    assert!(custom_resources("kind: Other\n", &swagger).expect("nothing to convert").is_empty());
}
