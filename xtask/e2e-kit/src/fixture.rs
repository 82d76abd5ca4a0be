//! Facts about one platform's programs that its declaration does not hold.

/// Facts about the programs of one platform that its declaration does not hold.
///
/// The platform's binary passes them. Without them, the scenarios that need them are not applicable.
#[derive(Clone, Copy, Debug)]
pub struct Fixture {
    /// The JSON body to post instead of the body of the declared end-to-end test; it exercises more of the platform.
    ///
    /// It is posted from inside the sender's pod, whose image must have `python3`. [`vocabulary::EndToEndTest::MARKER`] is replaced by the
    /// marker that the page must show.
    pub body: &'static str,
    /// How many times to post the body.
    pub times: u32,
    /// The load client's name in the image map. The load client publishes with confirms and prints a ledger.
    pub load_image: &'static str,
    /// The SQL query for the stored rows: the row's key and the ID of its event.
    pub stored: &'static str,
    /// The SQL query for rows that `helm test` left behind.
    pub left_by_tests: &'static str,
    /// A changed setting of the sender, in the syntax of `--set`.
    pub setting: &'static str,
}
