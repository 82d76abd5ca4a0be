//! Values with their documentation and schema: the form between the typed structs and the generated files.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::{Map, Value as Json};
use serde_yaml::Value;

use crate::text::scalar;

/// A group of values, converted from a struct.
#[derive(Clone, Debug, Default)]
pub(crate) struct Section(pub(crate) Vec<Entry>);

/// One key of a section.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) field: Arc<Field>,
    pub(crate) node: Node,
    /// The schema definition that this entry shares with other charts, or `None`.
    pub(crate) definition: Option<String>,
}

/// A declared field of a struct. All sections of one type share it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub(crate) key: String,
    /// The field's doc comment: one or more sentences.
    pub(crate) doc: String,
    /// Schema of the value. Unused for a section, whose entries have their own schemas.
    pub(crate) schema: Json,
}

/// Content of a key.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Section(Section),
    /// A single value, with its default.
    Leaf(Value),
}

impl Section {
    /// The section of a typed struct: its serialised keys, each with the doc comment and schema of its field.
    pub(crate) fn of<T: Serialize + JsonSchema>(value: &T) -> Self {
        section(&type_schema::<T>().fields, crate::yaml::tree(value))
    }

    /// The defaults of all keys.
    pub(crate) fn defaults(&self) -> Value {
        let pair = |entry: &Entry| {
            let value = match &entry.node {
                Node::Section(section) => section.defaults(),
                Node::Leaf(default) => default.clone(),
            };
            (Value::from(entry.field.key.as_str()), value)
        };
        Value::Mapping(self.0.iter().map(pair).collect())
    }

    /// The path of each value that is no section, with the default.
    pub(crate) fn leaves(&self) -> Vec<(String, &Value)> {
        let mut found = Vec::new();
        for entry in &self.0 {
            let key = &entry.field.key;
            match &entry.node {
                Node::Section(section) => {
                    found
                        .extend(section.leaves().into_iter().map(|(path, default)| (format!("{key}.{path}"), default)));
                }
                Node::Leaf(default) => found.push((key.clone(), default)),
            }
        }
        found
    }

    /// Replaces a placeholder key with a section. Removes the key if the section is empty.
    pub(crate) fn fill(&mut self, key: &str, filled: Self) {
        if filled.0.is_empty() {
            self.0.retain(|entry| entry.field.key != key);
        } else if let Some(entry) = self.entry_mut(key) {
            entry.node = Node::Section(filled);
        }
    }

    /// Inserts an entry after a key.
    pub(crate) fn insert_after(&mut self, key: &str, entry: Entry) {
        let position =
            self.0.iter().position(|entry| entry.field.key == key).map_or(self.0.len(), |position| position + 1);
        self.0.insert(position, entry);
    }

    /// Sets the shared definitions of its entries, by key.
    pub(crate) fn share(&mut self, definition: impl Fn(&str) -> Option<&str>) {
        for entry in &mut self.0 {
            entry.definition = definition(&entry.field.key).map(str::to_owned);
        }
    }

    pub(crate) fn entry_mut(&mut self, key: &str) -> Option<&mut Entry> {
        self.0.iter_mut().find(|entry| entry.field.key == key)
    }
}

impl Entry {
    pub(crate) fn section(key: &str, doc: &str, section: Section) -> Self {
        let field = Field { key: key.to_owned(), doc: doc.to_owned(), schema: Json::Null };
        Self { field: Arc::new(field), node: Node::Section(section), definition: None }
    }

    pub(crate) fn leaf(key: &str, doc: &str, default: Value, schema: Json) -> Self {
        Self { field: Arc::new(Field::new(key, doc, schema)), node: Node::Leaf(default), definition: None }
    }

    /// Replaces the documentation of this entry; other entries of its type keep theirs.
    pub(crate) fn document(&mut self, doc: &str) {
        self.field = Arc::new(Field { doc: doc.to_owned(), ..Field::clone(&self.field) });
    }

    /// Whether the two entries have the same schema.
    pub(crate) fn has_schema_of(&self, other: &Self) -> bool {
        let fields = Arc::ptr_eq(&self.field, &other.field) || self.field == other.field;
        fields
            && match (&self.node, &other.node) {
                (Node::Section(own), Node::Section(others)) => {
                    own.0.len() == others.0.len()
                        && own.0.iter().zip(&others.0).all(|(own, other)| own.has_schema_of(other))
                }
                (Node::Leaf(_), Node::Leaf(_)) => true,
                _ => false,
            }
    }
}

impl Field {
    fn new(key: &str, doc: &str, mut schema: Json) -> Self {
        if let Some(object) = schema.as_object_mut() {
            object.remove("description");
            object.remove("format");
        }
        Self { key: key.to_owned(), doc: with_choices(doc, &schema), schema }
    }
}

/// The documentation of a value. For a value with a fixed set of choices, lists the choices.
fn with_choices(doc: &str, schema: &Json) -> String {
    let options = schema["enum"].as_array().map(Vec::as_slice).unwrap_or_default();
    if options.len() < 2 {
        return doc.to_owned();
    }
    let options: Vec<_> = options.iter().filter_map(Json::as_str).map(scalar).collect();
    format!("{doc} One of {}.", options.join(", "))
}

/// Fields of a struct by key, and the definitions that their schemas refer to.
struct TypeSchema {
    fields: Fields,
    definitions: Map<String, Json>,
}

/// The fields of a struct by key. A field whose type is a struct of this crate includes the fields of that struct.
struct Fields(BTreeMap<String, (Arc<Field>, Option<Fields>)>);

/// Returns the schema of a type. Results are cached: generating one takes a hundred times longer than using it, and a platform with 500
/// services uses the same one 500 times.
fn type_schema<T: JsonSchema>() -> Arc<TypeSchema> {
    static MADE: LazyLock<Mutex<BTreeMap<String, Arc<TypeSchema>>>> = LazyLock::new(Mutex::default);
    let mut made = MADE.lock().expect("nothing panics while it holds this lock");
    made.entry(T::schema_id().into_owned())
        .or_insert_with(|| {
            let generator = SchemaSettings::draft07().with(|s| s.meta_schema = None).into_generator();
            let mut root = Json::from(generator.into_root_schema_for::<T>());
            let definitions = root.as_object_mut().and_then(|o| o.remove("definitions"));
            let definitions = definitions.and_then(|d| d.as_object().cloned()).unwrap_or_default();
            Arc::new(TypeSchema { fields: fields(&root, &definitions), definitions })
        })
        .clone()
}

/// Definitions of the Kubernetes types in the values, by name.
pub(crate) fn definitions_of<T: JsonSchema>() -> Map<String, Json> {
    let schema = type_schema::<T>();
    let of_kubernetes = schema.definitions.iter().filter(|(name, _)| is_kubernetes(name));
    of_kubernetes.map(|(name, schema)| (name.clone(), schema.clone())).collect()
}

fn fields(schema: &Json, definitions: &Map<String, Json>) -> Fields {
    let field = |(key, field): (&String, &Json)| {
        let own = of_field(field);
        let inner = own_struct(&own, definitions);
        // A field without documentation uses that of its type.
        let doc = field["description"].as_str().or_else(|| inner.and_then(|i| i["description"].as_str()));
        let doc = doc.unwrap_or_default().replace('\n', " ");
        let inner = inner.map(|inner| fields(inner, definitions));
        (key.clone(), (Arc::new(Field::new(key, &doc, own)), inner))
    };
    Fields(schema["properties"].as_object().into_iter().flatten().map(field).collect())
}

fn section(fields: &Fields, value: Value) -> Section {
    let Value::Mapping(values) = value else { return Section::default() };
    let entry = |(key, default): (Value, Value)| {
        let (field, inner) = fields.0.get(key.as_str()?)?;
        let node = match inner {
            Some(inner) if default.is_mapping() => Node::Section(section(inner, default)),
            _ => Node::Leaf(default),
        };
        Some(Entry { field: Arc::clone(field), node, definition: None })
    };
    Section(values.into_iter().filter_map(entry).collect())
}

/// The struct of this crate that a field's schema refers to. A Kubernetes type counts as a single value.
fn own_struct<'a>(schema: &'a Json, definitions: &'a Map<String, Json>) -> Option<&'a Json> {
    let name = schema["$ref"].as_str()?.strip_prefix("#/definitions/")?;
    let target = definitions.get(name)?;
    (!is_kubernetes(name) && target.get("properties").is_some()).then_some(target)
}

/// Schema of a field, without `null` and without a default: every key has a value, and the default is written.
fn of_field(schema: &Json) -> Json {
    let mut schema = schema.clone();
    if let Some(object) = schema.as_object_mut() {
        without_null(object, &["anyOf", "allOf"]);
        object.remove("default");
    }
    schema
}

/// Removes `null` from a schema. If one of these keywords is left with a single alternative, the alternative replaces it.
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
