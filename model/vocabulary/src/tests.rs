//! What the platform's own tests need, which a Helm user runs against a release with `helm test`.
//!
//! Most of them follow from the uses: who declares that he publishes gets a test that publishes. What no use says stands here.

use crate::{Database, Endpoint, HttpPath, Image, ServiceName, SourceLocation};

/// What the tests of a release need beside the uses.
#[derive(Clone, Copy, Debug)]
pub struct Tests {
    /// The image that the test pods run: one with `python3` (3.8 or later, standard library only) on its path.
    pub image: Image,
    /// What goes through the whole platform, if there is something of that kind.
    pub end_to_end: Option<EndToEndTest>,
}

impl Tests {
    /// The official Python image, and no journey.
    pub const DEFAULT: Self = Self { image: Image::new("python", "3.14-alpine"), end_to_end: None };

    /// With a journey.
    #[must_use]
    pub const fn end_to_end(self, end_to_end: EndToEndTest) -> Self {
        Self { end_to_end: Some(end_to_end), ..self }
    }
}

/// One thing that is sent in at one end of the platform and seen at the other: the test that everything works together.
///
/// Sent text and statement tell one run from another by a marker: [`EndToEndTest::MARKER`] in them becomes `helm-test-` and twelve
/// random digits of base 16. This is what is called an end-to-end test.
#[derive(Clone, Copy, Debug)]
pub struct EndToEndTest {
    /// What becomes of what, as a sentence.
    pub doc: &'static str,
    /// The request that it begins with.
    pub sent: Post,
    /// The page that it is seen on in the end: then that holds the marker.
    pub seen: Page,
    /// The services in between: the test is there while these and both ends are installed.
    pub through: &'static [ServiceName],
    /// How long it may take, in seconds.
    pub within_seconds: u16,
    /// What it leaves behind, and how that is removed.
    pub leftovers: Option<Leftovers>,
    /// Where it was declared.
    pub location: SourceLocation,
}

impl EndToEndTest {
    /// What stands for the marker in a body and a statement.
    pub const MARKER: &'static str = "{marker}";

    /// The longest that a journey may take, in seconds: the shortest time limit of a test, 90 s, leaves room for the rest.
    pub const LONGEST_SECONDS: u16 = 60;

    /// A journey of at most a minute that leaves nothing behind.
    #[must_use]
    #[track_caller]
    pub const fn new(doc: &'static str, sent: Post, through: &'static [ServiceName], seen: Page) -> Self {
        Self { doc, sent, seen, through, within_seconds: 60, leftovers: None, location: SourceLocation::here() }
    }

    /// The same journey, which may take so many seconds.
    ///
    /// # Panics
    /// When that is 0 or more than [`EndToEndTest::LONGEST_SECONDS`]; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn within_seconds(self, within_seconds: u16) -> Self {
        assert!(0 < within_seconds && within_seconds <= Self::LONGEST_SECONDS, "a journey takes 1 to 60 seconds");
        Self { within_seconds, ..self }
    }

    /// The same journey, which leaves rows in `database`: the statement deletes those with the marker. It runs under the login of the
    /// service that owns the database.
    #[must_use]
    pub const fn leaves(self, database: Database, statement: &'static str) -> Self {
        Self { leftovers: Some(Leftovers { database, statement }), ..self }
    }
}

/// A request that sends something in.
#[derive(Clone, Copy, Debug)]
pub struct Post {
    /// Where it is sent to.
    pub endpoint: Endpoint,
    /// The route.
    pub path: HttpPath,
    /// What is sent, as JSON.
    pub body: &'static str,
}

/// A page that shows something.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Who shows it.
    pub endpoint: Endpoint,
    /// The route.
    pub path: HttpPath,
}

/// Rows that a journey leaves.
#[derive(Clone, Copy, Debug)]
pub struct Leftovers {
    /// The database they are in.
    pub database: Database,
    /// The SQL statement that deletes them: a `DELETE`.
    pub statement: &'static str,
}

impl Endpoint {
    /// A request that sends this JSON to one of its routes.
    ///
    /// # Panics
    /// When the path breaks its rule; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn posts(self, path: &'static str, body: &'static str) -> Post {
        Post { endpoint: self, path: HttpPath::new(path), body }
    }

    /// A page of its own.
    ///
    /// # Panics
    /// When the path breaks its rule; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn page(self, path: &'static str) -> Page {
        Page { endpoint: self, path: HttpPath::new(path) }
    }
}
