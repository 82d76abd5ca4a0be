//! Converts the OpenAPI document of Kubernetes and custom resource definitions into JSON schemas (draft 4) for kubeconform,
//! one file per kind.
//!
//! The two functions are pure: [`kubernetes`] converts the OpenAPI 2 document of Kubernetes, and
//! [`custom_resources`] a file of custom resource definitions. Both return file names and contents.
//!
//! The schemas are **closed**: an unknown field is an error, at any depth. Exceptions are objects that Kubernetes itself
//! leaves open (`x-kubernetes-preserve-unknown-fields`, `RawExtension`), and recursive definitions (`JSONSchemaProps` in a
//! custom resource definition), which are checked one level deep.
//!
//! Like the API server and the published strict schemas, these schemas accept `null` for an optional field and, in the
//! kinds of Kubernetes, in lists and maps, but never for a required field. In the alternatives of a custom resource
//! (`oneOf` and similar) `null` may be rejected, which is stricter than the API server.
//!
//! A required field of a custom resource may be absent if it has a default, because the API server sets defaults first.
//! A default may decide which alternative applies, so `oneOf` beside a default requires only at least one match.
//!
//! The schemas do not cover CEL rules, uniqueness in lists and references between objects.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

type Object = Map<String, Value>;

/// The source of the converter. A digest of it belongs in the name of a cached schema, because the next version may convert differently.
pub const SOURCE: &str = include_str!("lib.rs");

/// Why a document was not converted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// The document does not have the expected structure.
    #[error("{0}")]
    Shape(String),
    /// The document is not valid YAML or JSON.
    #[error("it cannot be read: {0}")]
    Syntax(String),
    /// A reference has no target.
    #[error("it refers to the definition `{0}`, which does not exist")]
    Dangling(String),
    /// A schema uses a keyword that the converter does not support.
    #[error("the converter does not support the keyword `{keyword}` ({place}); add it to xtask/tools/src/convert.rs")]
    Keyword {
        /// The keyword.
        keyword: String,
        /// The kind or definition that contains it.
        place: String,
    },
    /// Two kinds have the same file name, so kubeconform could not distinguish them.
    #[error("two kinds share the file name {0}")]
    Collision(String),
}

/// Converts every kind in Kubernetes' `swagger.json` that can occur in a manifest: the kinds with object metadata. This
/// excludes lists, and responses of the API server such as `Status`.
///
/// The file names are the defaults of kubeconform: `deployment-apps-v1.json`, with the first label of the API group, and
/// `service-v1.json` for the core group.
///
/// # Errors
/// [`ConvertError`] if a document has an unexpected structure. There is no partial result.
pub fn kubernetes(swagger: &Value) -> Result<BTreeMap<String, Value>, ConvertError> {
    let converter = Converter::for_kubernetes(swagger)?;
    let mut files = BTreeMap::new();
    for (name, definition) in converter.definitions {
        let properties = definition.get("properties");
        let Some(Value::Array(names)) = definition.get("x-kubernetes-group-version-kind") else { continue };
        if properties.and_then(|all| all.get("metadata")?.get("$ref")?.as_str()) != Some(OBJECT_META) {
            continue;
        }
        for identity in names {
            let part = |key| identity.get(key).and_then(Value::as_str).unwrap_or_default();
            let (group, version, kind) = (part("group"), part("version"), part("kind"));
            let label = group.split('.').next().filter(|label| !label.is_empty());
            let file = match label {
                Some(label) => format!("{kind}-{label}-{version}.json"),
                None => format!("{kind}-{version}.json"),
            };
            let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
            let mut schema =
                converter.definition(name, SourceLocation { nullable: false, whole: true }, &mut Vec::new())?;
            name_kind(&mut schema, &api_version, kind);
            insert(&mut files, file.to_lowercase(), schema)?;
        }
    }
    if files.is_empty() {
        return Err(ConvertError::Shape("it contains no kinds".to_owned()));
    }
    Ok(files)
}

/// Converts every served version of every custom resource definition in a YAML file. The file may have several documents
/// and contain other objects. The file names are `<group>/<kind>_<version>.json` in lower case.
///
/// `swagger` is Kubernetes' `swagger.json`, which contains the schema of the object metadata.
///
/// # Errors
/// [`ConvertError`] if a document is not what it should be. It is all or nothing.
pub fn custom_resources(yaml: &str, swagger: &Value) -> Result<BTreeMap<String, Value>, ConvertError> {
    let native = Converter::for_kubernetes(swagger)?;
    let meta = native.reference(OBJECT_META, SourceLocation { nullable: false, whole: true }, &mut Vec::new())?;
    let mut files = BTreeMap::new();
    for document in serde_yaml::Deserializer::from_str(yaml) {
        let value = Value::deserialize(document).map_err(|error| ConvertError::Syntax(error.to_string()))?;
        if value.get("kind").and_then(Value::as_str) != Some("CustomResourceDefinition") {
            continue;
        }
        let definition: CustomResourceDefinition =
            serde_json::from_value(value).map_err(|error| ConvertError::Shape(error.to_string()))?;
        let Spec { group, names, versions } = definition.spec;
        for Version { name, schema, .. } in versions.into_iter().filter(|version| version.served) {
            let converter = Converter { definitions: &Object::new(), source: Source::CustomResource };
            let api_version = format!("{group}/{name}");
            let place = format!("{api_version} {}", names.kind);
            let root = SourceLocation { nullable: false, whole: true };
            let mut file = converter.schema(&schema.open_api_v3_schema, root, &mut vec![&place])?;
            name_kind(&mut file, &api_version, &names.kind);
            if let Some(properties) = file.get_mut("properties").and_then(Value::as_object_mut) {
                properties.insert("metadata".to_owned(), meta.clone());
            }
            insert(&mut files, format!("{group}/{}_{name}.json", names.kind).to_lowercase(), file)?;
        }
    }
    Ok(files)
}

#[derive(Deserialize)]
struct CustomResourceDefinition {
    spec: Spec,
}

#[derive(Deserialize)]
struct Spec {
    group: String,
    names: Names,
    versions: Vec<Version>,
}

#[derive(Deserialize)]
struct Names {
    kind: String,
}

#[derive(Deserialize)]
struct Version {
    name: String,
    served: bool,
    schema: Schema,
}

#[derive(Deserialize)]
struct Schema {
    #[serde(rename = "openAPIV3Schema")]
    open_api_v3_schema: Value,
}

const REFERENCE: &str = "#/definitions/";
const OBJECT_META: &str = "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
const QUANTITY: &str = "io.k8s.apimachinery.pkg.api.resource.Quantity";
/// The pattern of quantities in generated custom resource definitions.
const QUANTITY_PATTERN: &str = r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Kubernetes,
    CustomResource,
}

/// The context of a schema.
#[derive(Clone, Copy)]
struct SourceLocation {
    /// Whether `null` is accepted.
    nullable: bool,
    /// Whether the schema describes its object completely, so that it can be closed. False inside `oneOf` and similar
    /// keywords, where a schema only adds a condition to its parent.
    whole: bool,
}

struct Converter<'a> {
    definitions: &'a Object,
    source: Source,
}

impl<'a> Converter<'a> {
    fn for_kubernetes(swagger: &'a Value) -> Result<Self, ConvertError> {
        let definitions = swagger.get("definitions").and_then(Value::as_object);
        let definitions = definitions.ok_or_else(|| ConvertError::Shape("it has no `definitions`".to_owned()))?;
        Ok(Self { definitions, source: Source::Kubernetes })
    }

    /// Converts the definition with this name. `path` contains the names of the definitions that are being converted.
    fn definition(&self, name: &'a str, place: SourceLocation, path: &mut Vec<&'a str>) -> Result<Value, ConvertError> {
        let definition = self.definitions.get(name).ok_or_else(|| ConvertError::Dangling(name.to_owned()))?;
        if name == QUANTITY {
            return Ok(json!({ "type": types(&["string", "number"], place), "pattern": QUANTITY_PATTERN }));
        }
        if path.contains(&name) {
            // A recursive definition: check only its type.
            let name = definition.get("type").and_then(Value::as_str);
            return Ok(name.map_or_else(|| json!({}), |name| json!({ "type": types(&[name], place) })));
        }
        path.push(name);
        let converted = self.schema(definition, place, path);
        path.pop();
        converted
    }

    fn reference(
        &self,
        reference: &'a str,
        place: SourceLocation,
        path: &mut Vec<&'a str>,
    ) -> Result<Value, ConvertError> {
        let name = reference.strip_prefix(REFERENCE);
        self.definition(name.ok_or_else(|| ConvertError::Dangling(reference.to_owned()))?, place, path)
    }

    fn schema(&self, schema: &'a Value, place: SourceLocation, path: &mut Vec<&'a str>) -> Result<Value, ConvertError> {
        let Some(schema) = schema.as_object() else {
            return Err(ConvertError::Shape(format!(
                "a schema is `{schema}` instead of an object, in {}",
                path.join(", ")
            )));
        };
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            return self.reference(reference, place, path);
        }
        let is = |key: &str| schema.get(key) == Some(&Value::Bool(true));
        let text = |key: &str| schema.get(key).and_then(Value::as_str);
        let place = SourceLocation { nullable: place.nullable || is("nullable"), ..place };
        let integer_or_text = is("x-kubernetes-int-or-string") || text("format") == Some("int-or-string");
        let mut out = Object::new();
        if integer_or_text {
            out.insert("type".to_owned(), types(&["integer", "string"], place));
        } else if let Some(name) = text("type") {
            out.insert("type".to_owned(), types(&[name], place));
        }
        for (keyword, value) in schema {
            let converted = match keyword.as_str() {
                // Already converted, or without effect on the validity of values.
                "type" | "nullable" | "description" | "title" | "default" | "example" | "externalDocs" => continue,
                word if word.starts_with("x-") => continue,
                "format" | "anyOf" if integer_or_text => continue,
                "enum" => with_null(value, place),
                "required" => match self.required(schema) {
                    // JSON Schema requires at least one entry.
                    names if names.is_empty() => continue,
                    names => json!(names),
                },
                "format" | "pattern" | "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum"
                | "multipleOf" | "minLength" | "maxLength" | "minItems" | "maxItems" | "uniqueItems"
                | "minProperties" | "maxProperties" => value.clone(),
                "properties" => self.properties(schema, value, place, path)?,
                "items" => {
                    let nullable = self.source == Source::Kubernetes;
                    self.schema(value, SourceLocation { nullable, ..place }, path)?
                }
                "additionalProperties" if value.is_boolean() => value.clone(),
                "additionalProperties" => self.schema(value, SourceLocation { nullable: true, ..place }, path)?,
                "not" => self.schema(value, CONDITION, path)?,
                // Before the API server sets defaults, several alternatives may match.
                "oneOf" if has_default(schema.get("properties")) => {
                    if !schema.contains_key("anyOf") {
                        out.insert("anyOf".to_owned(), self.branches(value, path)?);
                    }
                    continue;
                }
                "allOf" | "anyOf" | "oneOf" => self.branches(value, path)?,
                unknown => {
                    return Err(ConvertError::Keyword { keyword: unknown.to_owned(), place: path.join(", ") });
                }
            };
            out.insert(keyword.clone(), converted);
        }
        if place.whole && self.is_closed(schema) {
            out.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
        Ok(Value::Object(out))
    }

    fn branches(&self, branches: &'a Value, path: &mut Vec<&'a str>) -> Result<Value, ConvertError> {
        branches.as_array().into_iter().flatten().map(|branch| self.schema(branch, CONDITION, path)).collect()
    }

    fn properties(
        &self,
        schema: &'a Object,
        properties: &'a Value,
        place: SourceLocation,
        path: &mut Vec<&'a str>,
    ) -> Result<Value, ConvertError> {
        let required = self.required(schema);
        let mut converted = Object::new();
        for (name, property) in properties.as_object().into_iter().flatten() {
            let nullable = place.whole && !required.contains(&name.as_str());
            converted.insert(name.clone(), self.schema(property, SourceLocation { nullable, ..place }, path)?);
        }
        Ok(Value::Object(converted))
    }

    /// The fields that a manifest must contain. The API server sets defaults before it checks for missing fields.
    fn required(&self, schema: &'a Object) -> Vec<&'a str> {
        let names = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let filled_in = |name: &str| {
            let property = schema.get("properties").and_then(|properties| properties.get(name));
            self.source == Source::CustomResource && property.is_some_and(|property| property.get("default").is_some())
        };
        names.filter(|name| !filled_in(name)).collect()
    }

    /// Whether the schema lists every field that its object may have.
    fn is_closed(&self, schema: &Object) -> bool {
        let open = schema.contains_key("additionalProperties")
            || schema.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true))
            || schema.get("x-kubernetes-embedded-resource") == Some(&Value::Bool(true));
        // In Kubernetes' document, an object without properties means any object. In a custom resource it means an empty
        // object: the API server drops its fields, or rejects them in strict mode.
        let named = schema.contains_key("properties")
            || (self.source == Source::CustomResource && schema.get("type").is_some_and(|name| name == "object"));
        named && !open
    }
}

const CONDITION: SourceLocation = SourceLocation { nullable: false, whole: false };

/// One type, or a list of several types, including `null` if it is accepted.
fn types(names: &[&str], place: SourceLocation) -> Value {
    let mut names = names.to_vec();
    if place.nullable {
        names.push("null");
    }
    if let [name] = names[..] { json!(name) } else { json!(names) }
}

fn with_null(choices: &Value, place: SourceLocation) -> Value {
    let mut choices = choices.as_array().cloned().unwrap_or_default();
    if place.nullable && !choices.contains(&Value::Null) {
        choices.push(Value::Null);
    }
    Value::Array(choices)
}

/// Whether these properties contain a default at any depth.
fn has_default(properties: Option<&Value>) -> bool {
    match properties {
        Some(Value::Object(object)) => {
            object.contains_key("default") || object.values().any(|value| has_default(Some(value)))
        }
        _ => false,
    }
}

/// Restricts a schema to its API version and kind. kubeconform selects the file only by the first label of the API group.
fn name_kind(schema: &mut Value, api_version: &str, kind: &str) {
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("apiVersion".to_owned(), json!({ "type": "string", "enum": [api_version] }));
        properties.insert("kind".to_owned(), json!({ "type": "string", "enum": [kind] }));
    }
}

fn insert(files: &mut BTreeMap<String, Value>, name: String, schema: Value) -> Result<(), ConvertError> {
    if files.contains_key(&name) {
        return Err(ConvertError::Collision(name));
    }
    files.insert(name, schema);
    Ok(())
}
