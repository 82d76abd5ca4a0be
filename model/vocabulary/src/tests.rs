//! What the chart's tests need to know: an installer runs them against a release with `helm test`.
//!
//! Most tests follow from the uses: a service that publishes gets a test that publishes. This module declares what no use says.

use crate::{Database, Endpoint, HttpPath, Image, ServiceName, SourceLocation};

/// What the chart's tests need to know beyond the uses.
#[derive(Clone, Copy, Debug)]
pub struct Tests {
    /// The image of the test pods. It has `python3` on its path: version 3.8 or later, with the standard library.
    pub image: Image,
    /// The end-to-end test, if the platform has one.
    pub end_to_end: Option<EndToEndTest>,
}

impl Tests {
    /// The official Python image, and no end-to-end test.
    pub const DEFAULT: Self = Self { image: Image::new("python", "3.14-alpine"), end_to_end: None };

    /// Adds an end-to-end test.
    #[must_use]
    pub const fn end_to_end(self, end_to_end: EndToEndTest) -> Self {
        Self { end_to_end: Some(end_to_end), ..self }
    }
}

/// An end-to-end test: it sends a request to one service, and waits until its effect appears on a page of another.
///
/// The request's body, and the statement that deletes the leftovers, contain [`EndToEndTest::MARKER`]. Each run replaces it with a value of its own:
/// `helm-test-` and twelve random hexadecimal digits.
#[derive(Clone, Copy, Debug)]
pub struct EndToEndTest {
    /// What happens, as a sentence.
    pub doc: &'static str,
    /// The request that starts it.
    pub request: Request,
    /// The page on which the marker appears in the end.
    pub page: Page,
    /// The services in between. The test is installed while these and the services at both ends are enabled.
    pub through: &'static [ServiceName],
    /// The longest that it may take, in seconds.
    pub timeout_seconds: u16,
    /// The rows that it leaves, and how to delete them.
    pub leftovers: Option<Leftovers>,
    /// Where it is declared.
    pub location: SourceLocation,
}

impl EndToEndTest {
    /// The placeholder for the marker in the body and in the statement.
    pub const MARKER: &'static str = "{marker}";

    /// The largest timeout, in seconds. The shortest time limit of a test, 90 s, leaves time for its start and for the deletion.
    pub const LONGEST_SECONDS: u16 = 60;

    /// A test that takes at most a minute and leaves nothing behind.
    #[must_use]
    #[track_caller]
    pub const fn new(doc: &'static str, request: Request, through: &'static [ServiceName], page: Page) -> Self {
        Self { doc, request, page, through, timeout_seconds: 60, leftovers: None, location: SourceLocation::here() }
    }

    /// Sets the timeout, in seconds.
    ///
    /// # Panics
    /// When it is 0 or above [`EndToEndTest::LONGEST_SECONDS`]; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn timeout_seconds(self, timeout_seconds: u16) -> Self {
        assert!(
            0 < timeout_seconds && timeout_seconds <= Self::LONGEST_SECONDS,
            "the timeout of an end-to-end test is 1 to 60 seconds"
        );
        Self { timeout_seconds, ..self }
    }

    /// Declares that the test leaves rows in `database`, and the SQL statement that deletes those with the marker. The statement runs under the login of
    /// the service that owns the database.
    #[must_use]
    pub const fn leaves(self, database: Database, statement: &'static str) -> Self {
        Self { leftovers: Some(Leftovers { database, statement }), ..self }
    }
}

/// A `POST` request with a JSON body.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// The service and port that it is sent to.
    pub endpoint: Endpoint,
    /// The path of the route.
    pub path: HttpPath,
    /// The body, as JSON.
    pub body: &'static str,
}

/// A page that a service serves.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// The service and port that serve it.
    pub endpoint: Endpoint,
    /// The path of the route.
    pub path: HttpPath,
}

/// Rows that an end-to-end test leaves.
#[derive(Clone, Copy, Debug)]
pub struct Leftovers {
    /// The database that they are in.
    pub database: Database,
    /// The SQL statement that deletes them: a `DELETE`.
    pub statement: &'static str,
}

impl Endpoint {
    /// A `POST` request to one of its routes.
    ///
    /// # Panics
    /// When the path breaks its rule; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn posts(self, path: &'static str, body: &'static str) -> Request {
        Request { endpoint: self, path: HttpPath::new(path), body }
    }

    /// A page at one of its routes.
    ///
    /// # Panics
    /// When the path breaks its rule; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn page(self, path: &'static str) -> Page {
        Page { endpoint: self, path: HttpPath::new(path) }
    }
}
