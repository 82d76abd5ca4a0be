//! Declarations of images in Rust code: `Image::new("repository", "tag")`, which `.digest("sha256:…")` can follow.

use std::fs;
use std::io::Write as _;
use std::process::Command;

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use vocabulary::{DefaultTag, Image};

/// A changed declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The file, relative to the repository.
    pub path: Utf8PathBuf,
    /// The former reference of the image.
    pub from: String,
    /// The new one.
    pub to: String,
}

/// The reference of an image by tag and digest, as far as they are declared.
pub(crate) fn reference(image: Image) -> String {
    let tag = match image.tag {
        DefaultTag::Fixed(tag) => format!(":{tag}"),
        DefaultTag::Absent(_) => String::new(),
    };
    let digest = image.digest.map_or(String::new(), |digest| format!("@{digest}"));
    format!("{}{tag}{digest}", image.repository)
}

/// The tracked Rust files that are no tests.
pub(crate) fn sources(root: &Utf8Path) -> anyhow::Result<Vec<Utf8PathBuf>> {
    let mut git = Command::new("git");
    git.args(["-C", root.as_str(), "ls-files", "-z", "--", "*.rs"]).env("LC_ALL", "C");
    let output = git.output().context("cannot run git, which lists the declarations: install it")?;
    if !output.status.success() {
        bail!("git ls-files fails in {root}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let listed = String::from_utf8(output.stdout).context("a path in the repository is not UTF-8")?;
    let is_test = |path: &Utf8Path| {
        path.components().any(|part| ["tests", "benches", "examples"].contains(&part.as_str()))
            || matches!(path.file_name(), Some("tests.rs" | "testing.rs"))
    };
    let paths = listed.split('\0').filter(|path| !path.is_empty()).map(Utf8PathBuf::from);
    Ok(paths.filter(|path| !is_test(path) && root.join(path).is_file()).collect())
}

/// The code with another tag, and another digest where one is declared, in each declaration of the image; and their number.
///
/// Code below `#[cfg(test)]` stays, which is the end of a file.
pub(crate) fn replaced(code: &str, image: Image, tag: &str, digest: Option<&str>) -> (String, usize) {
    const CALL: &str = "Image::new(";
    let end = code.find("\n#[cfg(test)]\nmod tests").unwrap_or(code.len());
    let (declarations, tests) = code.split_at(end);
    let (mut out, mut count) = (String::new(), 0);
    let mut rest = declarations;
    while let Some(position) = rest.find(CALL) {
        let (before, after) = rest.split_at(position + CALL.len());
        out += before;
        rest = after;
        if let Some((call, length)) = Call::read(rest).filter(|(call, _)| call.is_of(image)) {
            out += &call.with(rest, length, tag, digest);
            rest = &rest[length..];
            count += 1;
        }
    }
    (out + rest + tests, count)
}

/// The literals of a call, by their positions behind `Image::new(`.
struct Call<'c> {
    repository: &'c str,
    tag: (usize, &'c str),
    digest: Option<(usize, &'c str)>,
}

impl<'c> Call<'c> {
    /// Reads the arguments, and a digest behind them. Returns the length of what was read, too.
    fn read(code: &'c str) -> Option<(Self, usize)> {
        let mut scanner = Scanner { code, position: 0 };
        let (_, repository) = scanner.literal()?;
        scanner.skip(",")?;
        let tag = scanner.literal()?;
        let _ = scanner.skip(",");
        scanner.skip(")")?;
        let end = scanner.position;
        let digest = scanner.skip(".digest(").and_then(|()| scanner.literal());
        let end = if digest.is_some() { scanner.position } else { end };
        Some((Self { repository, tag, digest }, end))
    }

    fn is_of(&self, image: Image) -> bool {
        let tag = match image.tag {
            DefaultTag::Fixed(tag) => tag.as_str(),
            DefaultTag::Absent(_) => return false,
        };
        let digest = image.digest.map(vocabulary::Digest::as_str);
        self.repository == image.repository.as_str() && self.tag.1 == tag && self.digest.map(|(_, text)| text) == digest
    }

    /// The code of the call with the new literals.
    fn with(&self, code: &str, length: usize, tag: &str, digest: Option<&str>) -> String {
        let (start, old) = self.tag;
        let mut out = format!("{}{tag}", &code[..start]);
        let mut position = start + old.len();
        if let (Some((start, old)), Some(digest)) = (self.digest, digest) {
            out += &code[position..start];
            out += digest;
            position = start + old.len();
        }
        out + &code[position..length]
    }
}

struct Scanner<'c> {
    code: &'c str,
    position: usize,
}

impl<'c> Scanner<'c> {
    /// Skips white space and this text; none if another text follows.
    fn skip(&mut self, text: &str) -> Option<()> {
        let rest = self.code[self.position..].trim_start();
        let start = self.code.len() - rest.len();
        rest.starts_with(text).then(|| self.position = start + text.len())
    }

    /// The content of a string literal without escapes, with its position.
    fn literal(&mut self) -> Option<(usize, &'c str)> {
        self.skip("\"")?;
        let start = self.position;
        let length = self.code[start..].find('"')?;
        let text = &self.code[start..start + length];
        self.position = start + length + 1;
        (!text.contains('\\')).then_some((start, text))
    }
}

/// Replaces a file as a whole.
pub(crate) fn write(path: &Utf8Path, text: &str) -> anyhow::Result<()> {
    let failed = || format!("cannot write {path}");
    let folder = path.parent().context("the path of a file has no folder")?;
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(failed)?;
    file.write_all(text.as_bytes()).with_context(failed)?;
    file.as_file().sync_all().with_context(failed)?;
    fs::set_permissions(file.path(), fs::metadata(path).with_context(failed)?.permissions()).with_context(failed)?;
    file.persist(path).with_context(failed)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn every_declaration_of_the_image_changes_and_nothing_else() {
        let code = "const A: Image = Image::new(\"a/b\", \"1.0\");\n\
                    const B: Image =\n    Image::new(\n        \"a/b\",\n        \"1.0\",\n    );\n\
                    const C: Image = Image::new(\"a/b\", \"1.1\");\n\
                    const D: Image = Image::new(\"a/c\", \"1.0\");\n\
                    const E: Image = Image::new(\"a/b\", TAG);\n\
                    // Image::new(\n\n#[cfg(test)]\nmod tests {\n    Image::new(\"a/b\", \"1.0\")\n}\n";
        let (new, count) = replaced(code, Image::new("a/b", "1.0"), "1.2", None);
        assert_eq!(count, 2);
        let expected = code.replacen("\"1.0\"", "\"1.2\"", 2);
        assert_eq!(new, expected);
    }

    #[test]
    fn a_pinned_image_gets_the_digest_of_its_tag() {
        let code = format!("Image::new(\"a/b\", \"1.0\")\n    .digest(\"{DIGEST}\")");
        let image = Image::new("a/b", "1.0").digest(DIGEST);
        let other = DIGEST.replace('0', "f");
        let (new, count) = replaced(&code, image, "1.1", Some(&other));
        assert_eq!((new, count), (code.replace("1.0", "1.1").replace(DIGEST, &other), 1));
        // The same tag without a digest is another declaration.
        assert_eq!(replaced(&code, Image::new("a/b", "1.0"), "1.1", None).1, 0);
        assert_eq!(replaced("Image::new(\"a/b\", \"1.0\")", image, "1.1", None).1, 0);
    }
}
