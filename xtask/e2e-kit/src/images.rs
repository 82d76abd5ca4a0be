//! Images in place of others: for a cluster that cannot pull the chart's own.

use std::collections::BTreeMap;

use camino::Utf8Path;
use generator::yaml;
use serde_yaml::Value;

use super::error::Error;

/// Which image takes the place of which repository, as the file of `--images` says it: one `repository = image[:tag]` a line, `#` before
/// remarks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageMap(BTreeMap<String, String>);

impl ImageMap {
    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read, a line is something else, or a repository stands twice.
    pub fn read(file: &Utf8Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(file).map_err(|source| Error::File { path: file.to_owned(), source })?;
        Self::parse(&text, file)
    }

    /// As [`ImageMap::read`], of a text in hand; `file` is what errors call it.
    ///
    /// # Errors
    /// As [`ImageMap::read`].
    pub fn parse(text: &str, file: &Utf8Path) -> Result<Self, Error> {
        let mut map = BTreeMap::new();
        for (number, text) in text.lines().enumerate().map(|(index, text)| (index + 1, text.trim())) {
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let pair = text.split_once('=').map(|(repository, image)| (repository.trim(), image.trim()));
            let word = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
            let Some((repository, image)) = pair.filter(|(repository, image)| word(repository) && word(image)) else {
                return Err(Error::MapLine { file: file.to_owned(), line: number, text: text.to_owned() });
            };
            if map.insert(repository.to_owned(), image.to_owned()).is_some() {
                return Err(Error::MapTwice { file: file.to_owned(), line: number, repository: repository.to_owned() });
            }
        }
        Ok(Self(map))
    }

    /// The image of a program that belongs to the scenarios, such as `auditflow-e2e/load`.
    ///
    /// # Errors
    /// When the map has none.
    pub fn tool(&self, name: &str) -> Result<&str, Error> {
        self.0.get(name).map(String::as_str).ok_or_else(|| Error::NoImage { name: name.to_owned() })
    }

    /// Fails unless each image of a chart with the defaults `values` has a build to run: the map's, or the chart's own.
    ///
    /// # Errors
    /// When an image has neither, or `values` is no YAML.
    pub fn names_builds(&self, values: &str) -> Result<(), Error> {
        let values = read(values)?;
        let images = images(&values);
        let lacking = images.iter().filter(|own| match self.0.get(own.repository).map(|image| parts(image)) {
            Some((_, tag, digest)) => tag.or(own.tag).is_none() && digest.is_empty(),
            None => own.tag.is_none() && own.digest.is_none(),
        });
        let repositories: Vec<_> = lacking.map(|own| own.repository.to_owned()).collect();
        if repositories.is_empty() { Ok(()) } else { Err(Error::NoTag { repositories }) }
    }

    /// The values that put these images into a chart with the defaults `values`, wherever one of its `image` sections names a repository that
    /// is mapped; empty when none is. They say which build it is even where that is the chart's default, so that nothing decides it that lies
    /// over the defaults.
    ///
    /// # Errors
    /// When `values` is no YAML.
    pub fn overlay(&self, values: &str) -> Result<String, Error> {
        let values = read(values)?;
        let mut overlay = Value::Null;
        for own in images(&values) {
            let Some(image) = self.0.get(own.repository) else { continue };
            let (repository, tag, digest) = parts(image);
            let output = [
                ("repository", Some(repository)),
                ("digest", Some(digest)),
                ("pullPolicy", Some("IfNotPresent")),
                ("tag", tag.or(own.tag)),
            ];
            for (key, text) in output.into_iter().filter_map(|(key, text)| Some((key, text?))) {
                yaml::put(&mut overlay, &[own.section.as_slice(), &[key]].concat(), text.into());
            }
        }
        if overlay.is_null() {
            Ok(String::new())
        } else {
            serde_yaml::to_string(&overlay).map_err(|error| unreadable(&error))
        }
    }
}

/// What a chart's defaults say of an image.
struct Own<'a> {
    /// Where that stands.
    section: Vec<&'a str>,
    repository: &'a str,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
}

fn read(values: &str) -> Result<Value, Error> {
    serde_yaml::from_str(values).map_err(|error| unreadable(&error))
}

fn unreadable(error: &serde_yaml::Error) -> Error {
    Error::Unreadable { what: "values.yaml".to_owned(), why: error.to_string() }
}

/// The images of a chart, wherever in the values they stand.
fn images(values: &Value) -> Vec<Own<'_>> {
    fn walk<'a>(value: &'a Value, path: &mut Vec<&'a str>, found: &mut Vec<Own<'a>>) {
        for (key, value) in value.as_mapping().into_iter().flatten() {
            let Some(key) = key.as_str() else { continue };
            path.push(key);
            let text = |key: &str| value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
            match text("repository").filter(|_| key == "image") {
                Some(repository) => {
                    found.push(Own { section: path.clone(), repository, tag: text("tag"), digest: text("digest") });
                }
                None => walk(value, path, found),
            }
            path.pop();
        }
    }
    let mut found = Vec::new();
    walk(values, &mut Vec::new(), &mut found);
    found
}

/// Repository, tag and digest of an image. The colon of a registry's port stands before a slash, that of a tag does not.
fn parts(image: &str) -> (&str, Option<&str>, &str) {
    let (image, digest) = image.split_once('@').unwrap_or((image, ""));
    match image.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')) {
        Some((repository, tag)) => (repository, Some(tag), digest),
        None => (image, None, digest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "images";

    fn parse(text: &str) -> Result<ImageMap, String> {
        ImageMap::parse(text, FILE.into()).map_err(|error| error.to_string())
    }

    #[test]
    fn lines_remarks_and_spaces() {
        let map = parse("# made here\n\n a/b = c/d:1 \nload=host:5000/load\n").expect("it is right");
        assert_eq!(map.tool("a/b").ok(), Some("c/d:1"));
        assert_eq!(map.tool("load").ok(), Some("host:5000/load"));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        assert_eq!(parse("a = b\nc d"), Err("images, line 2: `c d` is not `repository = image[:tag]`".to_owned()));
        assert_eq!(parse("a = b c"), Err("images, line 1: `a = b c` is not `repository = image[:tag]`".to_owned()));
        assert_eq!(parse("a = "), Err("images, line 1: `a =` is not `repository = image[:tag]`".to_owned()));
        assert_eq!(parse("a = b\na = c"), Err("images, line 2: `a` has an image already".to_owned()));
    }

    #[test]
    fn a_missing_image_says_what_to_do() {
        let error = ImageMap::default().tool("auditflow-e2e/load").expect_err("it is missing").to_string();
        assert!(error.contains("xtask/e2e/load)") && error.contains("`auditflow-e2e/load = <image>`"), "{error}");
    }

    #[test]
    fn the_overlay_has_what_is_mapped_and_nothing_else() {
        let map =
            parse("x/one = y/one:1\nx/two = host:5000/two\nx/three = t@sha256:00\nx/none = n:1").expect("it is right");
        let values = "global: {a: 1, tests: {image: {repository: x/one}, b: 2}}\none: {image: {repository: x/one, tag: ''}}\n\
                      two: {image: {repository: x/two, tag: '2'}}\n\
                      three: {image: {repository: x/three}}\nfour: {image: {repository: x/four}}\n";
        let overlay: Value = serde_yaml::from_str(&map.overlay(values).expect("YAML")).expect("YAML");
        let expected: Value = serde_yaml::from_str(
            "global: {tests: {image: {repository: y/one, tag: '1', digest: '', pullPolicy: IfNotPresent}}}\n\
             one: {image: {repository: y/one, tag: '1', digest: '', pullPolicy: IfNotPresent}}\n\
             two: {image: {repository: 'host:5000/two', tag: '2', digest: '', pullPolicy: IfNotPresent}}\n\
             three: {image: {repository: t, digest: 'sha256:00', pullPolicy: IfNotPresent}}\n",
        )
        .expect("YAML");
        assert_eq!(overlay, expected);
    }

    #[test]
    fn every_image_needs_a_build() {
        let map =
            parse("x/one = y/one:1\nx/two = y/two\nx/three = y/three@sha256:00\nx/four = y/four").expect("it is right");
        let values = |tag: &str| {
            let one = |name: &str| format!("{name}: {{image: {{repository: x/{name}, tag: '{tag}', digest: ''}}}}\n");
            ["one", "two", "three"].map(one).concat()
        };
        assert!(map.names_builds(&values("7")).is_ok() && ImageMap::default().names_builds(&values("7")).is_ok());
        let lacks =
            |map: &ImageMap, values: &str| map.names_builds(values).expect_err("a build is lacking").to_string();
        let output = lacks(&map, &values(""));
        assert!(output.contains("for x/two:") && output.contains("`x/two = <image>:<tag>`"), "{output}");
        let output = lacks(&ImageMap::default(), &values(""));
        assert!(output.contains("for x/one, x/two, x/three:"), "{output}");
        // The chart's digest is that of its own image.
        let pinned = "four: {image: {repository: x/four, tag: '', digest: 'sha256:00'}}";
        assert!(ImageMap::default().names_builds(pinned).is_ok());
        assert!(lacks(&map, pinned).contains("for x/four:"));
    }
}
