//! What the scenarios know of one platform's programs beyond its declaration.

/// Facts about the programs of one platform that its declaration does not hold. The binary that names the platform passes them; without them
/// the scenarios that need them are not applicable.
#[derive(Clone, Copy, Debug)]
pub struct Fixture {
    /// The JSON body that is posted in place of the declared end-to-end test's, from inside the sender's pod, whose image has `python3`. It
    /// exercises more of the platform. [`vocabulary::EndToEndTest::MARKER`] stands for the marker that the page shows in the end.
    pub body: &'static str,
    /// How often the body is posted.
    pub times: u32,
    /// The load client's name in the file of `--images`. It publishes with confirms, and prints a ledger.
    pub load_image: &'static str,
    /// The SQL query for what is stored: a row's key, and the id of the event that it comes from.
    pub stored: &'static str,
    /// The SQL query for rows that `helm test` left.
    pub left_by_tests: &'static str,
    /// A changed setting of the sender, as `--set` takes it.
    pub setting: &'static str,
}
