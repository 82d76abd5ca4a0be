//! Image replacements, for a cluster that cannot pull the chart's images.

use std::collections::BTreeMap;

use camino::Utf8Path;
use generator::yaml;
use serde_yaml::Value;
use vocabulary::{DefaultTag, Image};

use super::error::Error;

/// The image map of `--images`: one `repository = image[:tag]` per line; lines that start with `#` are comments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageMap(BTreeMap<String, String>);

impl ImageMap {
    /// Reads an image map from a file.
    ///
    /// # Errors
    /// If the file cannot be read, a line has another form, or a repository is named twice.
    pub fn read(file: &Utf8Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(file).map_err(|source| Error::File { path: file.to_owned(), source })?;
        Self::parse(&text, file)
    }

    /// Parses the text of an image map. Errors name it `file`.
    ///
    /// # Errors
    /// See [`ImageMap::read`].
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

    /// The image of one of the scenarios' own programs, such as `auditflow-e2e/load`.
    ///
    /// # Errors
    /// If the map does not name it.
    pub fn tool(&self, name: &str) -> Result<&str, Error> {
        self.0.get(name).map(String::as_str).ok_or_else(|| Error::NoImage { name: name.to_owned() })
    }

    /// The reference of a declared image: its replacement, or else the image itself.
    #[must_use]
    pub fn reference(&self, image: &Image) -> String {
        let own = match (image.digest, image.tag) {
            (Some(digest), _) => format!("{}@{digest}", image.repository),
            (None, DefaultTag::Fixed(tag)) => format!("{}:{tag}", image.repository),
            (None, DefaultTag::Absent(_)) => image.repository.to_string(),
        };
        let Some(replacement) = self.0.get(image.repository.as_str()) else { return own };
        match (parts(replacement), image.tag) {
            ((repository, None, ""), DefaultTag::Fixed(tag)) => format!("{repository}:{tag}"),
            _ => replacement.clone(),
        }
    }

    /// Checks that each image of a chart with the default values `values` has a tag or digest, from the map or from the chart.
    ///
    /// # Errors
    /// If an image has neither, or `values` is not valid YAML.
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

    /// The values that replace the images of a chart with the default values `values`; empty if no repository is mapped.
    ///
    /// They always set the tag, even to the chart's default, so that no other values file can change it.
    ///
    /// # Errors
    /// If `values` is not valid YAML.
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

/// An image in a chart's default values.
struct ChartImage<'a> {
    /// The path of the `image` section.
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

/// All images in a chart's values.
fn images(values: &Value) -> Vec<ChartImage<'_>> {
    fn walk<'a>(value: &'a Value, path: &mut Vec<&'a str>, found: &mut Vec<ChartImage<'a>>) {
        for (key, value) in value.as_mapping().into_iter().flatten() {
            let Some(key) = key.as_str() else { continue };
            path.push(key);
            let text = |key: &str| value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
            match text("repository").filter(|_| key == "image") {
                Some(repository) => {
                    found.push(ChartImage {
                        section: path.clone(),
                        repository,
                        tag: text("tag"),
                        digest: text("digest"),
                    });
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

/// Repository, tag and digest of an image reference. A colon before a slash belongs to the registry's port, not to a tag.
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
        assert_eq!(parse("a = b\na = c"), Err("images, line 2: `a` is named twice".to_owned()));
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
    fn a_declared_image_is_replaced() {
        let map = parse("x/one = y/one:7\nx/two = y/two").expect("it is right");
        let references = ["x/one", "x/two", "x/three"].map(|name| map.reference(&Image::new(name, "2")));
        assert_eq!(references, ["y/one:7", "y/two:2", "x/three:2"]);
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
