//! Values with their documentation and schema: what typed structs become before they are written.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::{Map, Value as Json};
use serde_yaml::Value;

use crate::text::scalar;

/// A group of values: what a struct becomes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Section(pub(crate) Vec<Entry>);

/// One key.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    /// The field's doc comment: one or more sentences.
    pub(crate) doc: String,
    pub(crate) node: Node,
}

/// What a key holds.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Section(Section),
    Leaf { default: Value, schema: Json },
}

/// The schema of a type, and the definitions it refers to.
struct TypeSchema {
    root: Json,
    definitions: Map<String, Json>,
}

impl Section {
    /// The section of a typed struct: the keys that it serialises, each with the doc comment and the schema of its field.
    pub(crate) fn of<T: Serialize + JsonSchema>(value: &T) -> Self {
        let schema = type_schema::<T>();
        section(&schema.root, &schema.definitions, &crate::yaml::tree(value))
    }

    /// The defaults of all its keys.
    pub(crate) fn defaults(&self) -> Value {
        let pair = |entry: &Entry| {
            let value = match &entry.node {
                Node::Section(section) => section.defaults(),
                Node::Leaf { default, .. } => default.clone(),
            };
            (Value::from(entry.key.as_str()), value)
        };
        Value::Mapping(self.0.iter().map(pair).collect())
    }

    /// Puts a section in the place of a key that stands for one; takes the key away when the section is empty.
    pub(crate) fn fill(&mut self, key: &str, filled: Self) {
        if filled.0.is_empty() {
            self.0.retain(|entry| entry.key != key);
        } else if let Some(entry) = self.0.iter_mut().find(|entry| entry.key == key) {
            entry.node = Node::Section(filled);
        }
    }
}

impl Section {
    /// Puts an entry behind that of a key.
    pub(crate) fn insert_after(&mut self, key: &str, entry: Entry) {
        let position = self.0.iter().position(|entry| entry.key == key).map_or(self.0.len(), |position| position + 1);
        self.0.insert(position, entry);
    }
}

impl Entry {
    pub(crate) fn section(key: &str, doc: &str, section: Section) -> Self {
        Self { key: key.to_owned(), doc: doc.to_owned(), node: Node::Section(section) }
    }

    pub(crate) fn leaf(key: &str, doc: &str, default: Value, schema: Json) -> Self {
        let doc = &with_choices(doc, &schema);
        Self { key: key.to_owned(), doc: doc.to_owned(), node: Node::Leaf { default, schema } }
    }
}

/// The documentation of a value that is one of a few, with these few.
fn with_choices(doc: &str, schema: &Json) -> String {
    let options = schema["enum"].as_array().map(Vec::as_slice).unwrap_or_default();
    if options.len() < 2 {
        return doc.to_owned();
    }
    let options: Vec<_> = options.iter().filter_map(Json::as_str).map(scalar).collect();
    format!("{doc} One of {}.", options.join(", "))
}

/// Making a type's schema takes a hundred times longer than using it, and a platform of 500 services uses the same one 500 times.
fn type_schema<T: JsonSchema>() -> Arc<TypeSchema> {
    static MADE: LazyLock<Mutex<BTreeMap<String, Arc<TypeSchema>>>> = LazyLock::new(Mutex::default);
    let mut made = MADE.lock().expect("nothing panics while it holds this lock");
    made.entry(T::schema_id().into_owned())
        .or_insert_with(|| {
            let generator = SchemaSettings::draft07().with(|s| s.meta_schema = None).into_generator();
            let mut root = Json::from(generator.into_root_schema_for::<T>());
            let definitions = root.as_object_mut().and_then(|o| o.remove("definitions"));
            let definitions = definitions.and_then(|d| d.as_object().cloned()).unwrap_or_default();
            Arc::new(TypeSchema { root, definitions })
        })
        .clone()
}

/// The definitions of Kubernetes types that the values refer to, by name.
pub(crate) fn definitions_of<T: JsonSchema>() -> Map<String, Json> {
    let schema = type_schema::<T>();
    let of_kubernetes = schema.definitions.iter().filter(|(name, _)| is_kubernetes(name));
    of_kubernetes.map(|(name, schema)| (name.clone(), schema.clone())).collect()
}

fn section(schema: &Json, definitions: &Map<String, Json>, value: &Value) -> Section {
    let (Some(properties), Value::Mapping(fields)) = (schema["properties"].as_object(), value) else {
        return Section::default();
    };
    let entries = fields.iter().filter_map(|(key, default)| {
        let key = key.as_str()?;
        let field = properties.get(key)?;
        let own = of_field(field);
        let inner = own_struct(&own, definitions);
        // A field that says nothing of its own is what its type says.
        let doc = field["description"].as_str().or_else(|| inner.and_then(|i| i["description"].as_str()));
        let doc = with_choices(&doc.unwrap_or_default().replace('\n', " "), &own);
        let node = match inner {
            Some(inner) if default.is_mapping() => Node::Section(section(inner, definitions, default)),
            _ => Node::Leaf { default: default.clone(), schema: own },
        };
        Some(Entry { key: key.to_owned(), doc, node })
    });
    Section(entries.collect())
}

/// The struct of this crate that a field's schema refers to; not a Kubernetes type, which is a value as a whole.
fn own_struct<'a>(schema: &'a Json, definitions: &'a Map<String, Json>) -> Option<&'a Json> {
    let name = schema["$ref"].as_str()?.strip_prefix("#/definitions/")?;
    let target = definitions.get(name)?;
    (!is_kubernetes(name) && target.get("properties").is_some()).then_some(target)
}

/// A field's own schema: a key that is there has a value, and its default is what is written.
fn of_field(schema: &Json) -> Json {
    let mut schema = schema.clone();
    if let Some(object) = schema.as_object_mut() {
        without_null(object, &["anyOf", "allOf"]);
        object.remove("default");
    }
    schema
}

/// Takes `null` out of what a schema allows; where one of these keywords is left with one alternative, that stands for itself.
pub(super) fn without_null(object: &mut Map<String, Json>, keywords: &[&str]) {
    let all_but_null = |list: &Json| -> Vec<Json> {
        let null = |one: &&Json| *one == "null" || one["type"] == "null";
        list.as_array().into_iter().flatten().filter(|one| !null(one)).cloned().collect()
    };
    if let Some([one]) = object.get("type").map(all_but_null).as_deref() {
        object.insert("type".into(), one.clone());
    }
    for keyword in keywords {
        if let Some([Json::Object(one)]) = object.get(*keyword).map(all_but_null).as_deref() {
            let one = one.clone();
            object.remove(*keyword);
            object.extend(one);
        }
    }
}

fn is_kubernetes(name: &str) -> bool {
    name.starts_with("io.k8s.")
}
