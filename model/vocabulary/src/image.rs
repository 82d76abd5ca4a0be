//! Container images: repository, tag, digest.

use std::fmt;

use crate::name::{NameError, has, name, only, sized, starts_with};

/// A container image as it is declared: what a release runs unless its values say otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image {
    /// Registry (Docker Hub when there is none) and path.
    pub repository: Repository,
    /// The tag; what is pulled unless a digest is given.
    pub tag: Tag,
    /// The digest, when the image is pinned: then it is what is pulled.
    pub digest: Option<Digest>,
}

impl Image {
    /// An image by repository and tag.
    ///
    /// # Panics
    /// When one of them breaks its rule; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn new(repository: &'static str, tag: &'static str) -> Self {
        Self { repository: Repository::new(repository), tag: Tag::new(tag), digest: None }
    }

    /// The same image, pinned to a digest.
    ///
    /// # Panics
    /// When the text is not a digest; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn digest(self, digest: &'static str) -> Self {
        Self { digest: Some(Digest::new(digest)), ..self }
    }
}

name! {
    /// An image's repository: an optional registry and a path, lower-case (the OCI distribution specification).
    Repository, "an image's repository is 1 to 255 of a-z, 0-9, ., _, -, :, / (registry and path, without tag), beginning with a letter or digit, not ending with a separator", repository
}
name! {
    /// An image's tag (the OCI distribution specification).
    Tag, "a tag is 1 to 128 of A-Z, a-z, 0-9, _, . and -, not beginning with . or -", tag
}
name! {
    /// An image's digest (the OCI image specification; SHA-256, the one that registries use).
    Digest, "a digest is `sha256:` and 64 of 0-9 and a-f", digest
}

const PATH: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789._-:/";
const TAG: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

const fn repository(text: &[u8]) -> bool {
    let mut slash = false;
    let mut i = text.len();
    // A colon is a registry's port and so has a slash behind it: one behind the last slash would be a tag.
    while i > 0 {
        i -= 1;
        if text[i] == b'/' {
            slash = true;
        }
        if text[i] == b':' && !slash {
            return false;
        }
    }
    sized(text, 255) && only(text, PATH) && !has(b"._-:/", text[0]) && !has(b"._-:/", text[text.len() - 1])
}

const fn tag(text: &[u8]) -> bool {
    sized(text, 128) && only(text, TAG) && !has(b".-", text[0])
}

const fn digest(text: &[u8]) -> bool {
    let (prefix, hex) = if text.len() == 71 { text.split_at(7) } else { return false };
    starts_with(prefix, b"sha256:") && only(hex, b"0123456789abcdef")
}
