//! Samples values from the emitted schema.

use anyhow::{Context as _, bail};
use serde_json::{Map, Value, json};

use super::random::Random;
use super::text;

/// The values' schema, and the random numbers that choose among what it allows.
pub(super) struct Sampler<'a> {
    pub(super) schema: &'a Value,
    pub(super) random: Random,
}

/// The depth from which optional keys become rare, so that samples stay small.
const DEEP: usize = 4;

/// The share of the texts that are about as long as they can be, in percent.
const LONG: usize = 10;

/// The length of such a text where the schema has no limit: two of them are about what the chart's checks allow for the annotations of an object.
const LONGEST: usize = 100_000;

/// Attempts to find a text within the bounds of its length.
const ATTEMPTS: usize = 20;

impl Sampler<'_> {
    /// A value that the schema `of` allows, except for what its keywords cannot say.
    ///
    /// # Errors
    /// If the schema has a keyword or a form that this sampler does not know.
    pub(super) fn value(&mut self, of: &Value, depth: usize) -> anyhow::Result<Value> {
        if of["$ref"] == "#/definitions/cidr" {
            return Ok(json!(text::address_block(&mut self.random)));
        }
        let schema = self.flat(of)?;
        if let Some(choices) = schema.get("enum").and_then(Value::as_array) {
            return Ok(self.random.pick(choices).cloned().unwrap_or_default());
        }
        let types: Vec<&str> = match &schema.get("type") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => bail!("no type in {}", Value::Object(schema)),
        };
        // `null` takes a default away.
        let rare = self.random.percent(10);
        let types: Vec<&str> = types.into_iter().filter(|name| *name != "null" || rare).collect();
        Ok(match self.random.pick(&types).copied().unwrap_or("null") {
            "null" => Value::Null,
            "boolean" => json!(self.random.percent(50)),
            "integer" => json!(self.integer(&schema)),
            "number" => self.number(&schema),
            "string" => json!(self.text(&schema)?),
            "array" => self.list(&schema, depth)?,
            "object" => self.object(&schema, depth)?,
            other => bail!("the type {other}"),
        })
    }

    /// The keywords of a schema with those behind its reference, of its parts and of one alternative.
    fn flat(&mut self, of: &Value) -> anyhow::Result<Map<String, Value>> {
        let mut own = of.as_object().context("a schema is an object")?.clone();
        let mut flat = Map::new();
        if let Some(Value::String(reference)) = own.remove("$ref") {
            let place = reference.strip_prefix('#').and_then(|pointer| self.schema.pointer(pointer));
            let target = place.with_context(|| format!("{reference} does not exist"))?;
            flat.extend(self.flat(target)?);
        }
        for part in own.remove("allOf").iter().filter_map(Value::as_array).flatten() {
            flat.extend(self.flat(part)?);
        }
        if let Some(Value::Array(alternatives)) = own.remove("anyOf")
            && let Some(one) = self.random.pick(&alternatives).cloned()
        {
            flat.extend(self.flat(&one)?);
        }
        flat.extend(own);
        Ok(flat)
    }

    fn integer(&mut self, schema: &Map<String, Value>) -> i64 {
        let bound = |keyword: &str| schema.get(keyword).and_then(Value::as_i64);
        let least = bound("minimum").unwrap_or_default();
        self.random.within(least, bound("maximum").unwrap_or(least + 1_000_000_000))
    }

    fn number(&mut self, schema: &Map<String, Value>) -> Value {
        let whole = self.integer(schema);
        // Half a processor is a number, too.
        if self.random.percent(50) {
            json!(whole)
        } else {
            json!(f64::from(i32::try_from(whole % 64).unwrap_or(0)) + 0.5)
        }
    }

    fn text(&mut self, schema: &Map<String, Value>) -> anyhow::Result<String> {
        let bound = |keyword: &str| schema.get(keyword).and_then(Value::as_u64);
        let (least, most) = (bound("minLength").unwrap_or(0), bound("maxLength").unwrap_or(u64::MAX));
        let pattern = schema.get("pattern").and_then(Value::as_str);
        if most > 0 && self.random.percent(LONG) {
            let most = usize::try_from(most).unwrap_or(usize::MAX).min(LONGEST);
            return match pattern {
                Some(pattern) => text::long_matching(pattern, most, &mut self.random),
                None => Ok(text::long(most, &mut self.random)),
            };
        }
        let mut text = String::new();
        for _ in 0..ATTEMPTS {
            text = match pattern {
                Some(pattern) => text::matching(pattern, &mut self.random)?,
                None if most == 0 => String::new(),
                None => text::any(&mut self.random),
            };
            if (least..=most).contains(&(text.chars().count() as u64)) {
                break;
            }
        }
        Ok(text)
    }

    fn list(&mut self, schema: &Map<String, Value>, depth: usize) -> anyhow::Result<Value> {
        let bound = |keyword: &str| schema.get(keyword).and_then(Value::as_i64);
        let least = bound("minItems").unwrap_or(0);
        let most = bound("maxItems").unwrap_or(if depth < DEEP { 3 } else { 1 });
        let item = schema.get("items").context("a list has items")?;
        let mut items = Vec::new();
        for _ in 0..self.random.within(least, most.max(least)) {
            let item = self.value(item, depth + 1)?;
            if schema.get("uniqueItems") != Some(&json!(true)) || !items.contains(&item) {
                items.push(item);
            }
        }
        Ok(json!(items))
    }

    fn object(&mut self, schema: &Map<String, Value>, depth: usize) -> anyhow::Result<Value> {
        let mut made = Map::new();
        let required = list_of(schema.get("required"));
        let properties = schema.get("properties").and_then(Value::as_object);
        let percent = if depth < DEEP { 50 } else { 25 };
        for (key, inner) in properties.into_iter().flatten() {
            if required.contains(&key.as_str()) || self.random.percent(percent) {
                made.insert(key.clone(), self.value(inner, depth + 1)?);
            }
        }
        for (pattern, inner) in schema.get("patternProperties").and_then(Value::as_object).into_iter().flatten() {
            for _ in 0..self.random.below(3) {
                let length = schema.get("propertyNames").and_then(|names| names.get("maxLength")).cloned();
                let key = json!({ "pattern": pattern, "maxLength": length });
                let key = self.text(key.as_object().context("an object")?)?;
                made.insert(key, self.value(inner, depth + 1)?);
            }
        }
        self.conditions(schema, schema, &mut made, depth)?;
        Ok(Value::Object(made))
    }

    /// Changes an object of the schema `of` until the conditions in `under` hold. A dependency can add a key that a condition is about.
    fn conditions(
        &mut self,
        of: &Map<String, Value>,
        under: &Map<String, Value>,
        made: &mut Map<String, Value>,
        depth: usize,
    ) -> anyhow::Result<()> {
        for (key, then) in under.get("dependencies").and_then(Value::as_object).into_iter().flatten() {
            if made.contains_key(key) {
                let then = if then.is_array() { json!({ "required": then }) } else { then.clone() };
                self.demand(of, &then, made, depth)?;
            }
        }
        if let Some(condition) = under.get("if") {
            let branch = if holds(condition, made) { "then" } else { "else" };
            if let Some(branch) = under.get(branch) {
                self.demand(of, branch, made, depth)?;
            }
        }
        let least = under.get("minProperties").and_then(Value::as_u64).unwrap_or(0);
        let properties = of.get("properties").and_then(Value::as_object);
        if (made.len() as u64) < least
            && let Some(properties) = properties
        {
            let keys: Vec<&String> = properties.keys().collect();
            if let Some(key) = self.random.pick(&keys).copied() {
                made.insert(key.clone(), self.value(&properties[key], depth + 1)?);
            }
        }
        Ok(())
    }

    /// Makes an object of the schema `of` one that the schema `then` allows as well.
    fn demand(
        &mut self,
        of: &Map<String, Value>,
        then: &Value,
        made: &mut Map<String, Value>,
        depth: usize,
    ) -> anyhow::Result<()> {
        let required = list_of(then.get("required"));
        let narrowed = then.get("properties").and_then(Value::as_object);
        let keys =
            required.iter().map(|key| (*key).to_owned()).chain(narrowed.into_iter().flat_map(Map::keys).cloned());
        for key in keys.collect::<std::collections::BTreeSet<_>>() {
            let narrow = narrowed.and_then(|all| all.get(&key));
            let is_missing = !made.contains_key(&key);
            if is_missing && !required.contains(&key.as_str()) || !is_missing && narrow.is_none() {
                continue;
            }
            let own = of.get("properties").and_then(|all| all.get(&key)).context("a condition names a key")?.clone();
            let merged = narrow.map_or(own.clone(), |narrow| self.merged(&own, narrow));
            made.insert(key, self.value(&merged, depth + 1)?);
        }
        if let Some(most) = then.get("maxProperties").and_then(Value::as_u64) {
            while made.len() as u64 > most {
                let last = made.keys().next_back().cloned().unwrap_or_default();
                made.remove(&last);
            }
        }
        if let Some(inner) = then.as_object() {
            self.conditions(of, inner, made, depth)?;
        }
        Ok(())
    }

    /// A schema with the keywords of another one in addition.
    fn merged(&mut self, own: &Value, narrow: &Value) -> Value {
        let mut merged = self.flat(own).unwrap_or_default();
        for (keyword, value) in narrow.as_object().into_iter().flatten() {
            let value = match (keyword.as_str(), merged.get("items")) {
                ("items", Some(items)) => {
                    let items = items.clone();
                    self.merged(&items, value)
                }
                _ => value.clone(),
            };
            merged.insert(keyword.clone(), value);
        }
        Value::Object(merged)
    }
}

fn list_of(list: Option<&Value>) -> Vec<&str> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Whether an object meets a condition: the keys that it requires, and the choices of its properties.
fn holds(condition: &Value, made: &Map<String, Value>) -> bool {
    let is_chosen = |(key, schema): (&String, &Value)| {
        let choices = schema["enum"].as_array();
        choices.is_none_or(|choices| made.get(key).is_none_or(|value| choices.contains(value)))
    };
    list_of(condition.get("required")).iter().all(|key| made.contains_key(*key))
        && condition["properties"].as_object().into_iter().flatten().all(is_chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(schema: &Value) -> Vec<Value> {
        let mut sampler = Sampler { schema, random: Random::new(3) };
        (0..300).map(|_| sampler.value(schema, 0).expect("a schema that it knows")).collect()
    }

    #[test]
    fn numbers_are_within_their_bounds_and_reach_them() {
        let all = samples(&json!({ "type": "integer", "minimum": 2, "maximum": 9 }));
        assert!(all.contains(&json!(2)) && all.contains(&json!(9)));
        assert!(all.iter().all(|number| (2..=9).contains(&number.as_i64().expect("a number"))));
        let either = json!({ "anyOf": [{ "type": "integer", "minimum": 5, "maximum": 6 }, { "enum": [0] }] });
        assert!(samples(&either).iter().all(|one| [json!(0), json!(5), json!(6)].contains(one)));
    }

    #[test]
    fn conditions_hold() {
        let schema = json!({
            "type": "object",
            "properties": {
                "operator": { "enum": ["In", "Exists"] },
                "values": { "type": "array", "items": { "type": "string", "pattern": "^[ab]$" } },
                "end": { "type": "integer", "minimum": 1, "maximum": 3 }
            },
            "required": ["operator"],
            "additionalProperties": false,
            "if": { "required": ["operator"], "properties": { "operator": { "enum": ["In"] } } },
            "then": { "required": ["values"], "properties": { "values": { "minItems": 1 } } },
            "else": { "properties": { "values": { "maxItems": 0 } } },
            "dependencies": { "end": ["values"] }
        });
        let all = samples(&schema);
        let values = |one: &Value| one["values"].as_array().map(Vec::len);
        assert!(all.iter().filter(|one| one["operator"] == "In").all(|one| values(one).is_some_and(|count| count > 0)));
        let others = || all.iter().filter(|one| one["operator"] == "Exists");
        assert!(others().count() > 50 && others().all(|one| values(one).is_none_or(|count| count == 0)));
        assert!(all.iter().filter(|one| one.get("end").is_some()).all(|one| values(one).is_some()));
    }

    #[test]
    fn keys_have_the_form_of_their_pattern() {
        let schema = json!({ "type": "object", "patternProperties": { "^[a-c]{3}$": { "type": "boolean" } }, "additionalProperties": false });
        let all = samples(&schema);
        assert!(all.iter().any(|one| one.as_object().is_some_and(|map| map.len() == 2)));
        assert!(all.iter().flat_map(|one| one.as_object().expect("a map").keys()).all(|key| key.len() == 3));
    }

    /// The chart of a platform has no schema that the sampler does not know.
    #[test]
    fn every_value_of_a_chart_can_be_sampled() {
        let platform = crate::roles::tests::declared();
        let resolved = platform.resolve().map_err(|diagnostics| diagnostics.to_string()).expect("it is valid");
        let chart = generator::generate(&resolved);
        let file = |name: &str| chart.files()[&chart.paths().umbrella.join(name)].clone();
        let schema: Value = serde_json::from_str(&file("values.schema.json")).expect("JSON");
        let defaults: Value = serde_yaml::from_str(&file("values.yaml")).expect("YAML");
        let leaves = super::super::changes::leaves(&schema, &defaults).expect("every default has a schema");
        assert!(leaves.len() > 50);
        let mut sampler = Sampler { schema: &schema, random: Random::new(1) };
        for (path, schema) in leaves {
            let unknown = (0..20).find_map(|_| sampler.value(schema, 0).err());
            assert!(unknown.is_none(), "{}: {unknown:?}", path.join("."));
        }
    }
}
