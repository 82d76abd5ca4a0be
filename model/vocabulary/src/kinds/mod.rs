//! The kinds of servers that services use: one folder per kind, one line per kind below.
//!
//! A folder holds everything about its kind: the server and the handles that a declaration refers to, the client and its uses, the rules of
//! its names, and its checks with their messages and tests. The enums [`Kind`], [`Backing`] and [`Use`] follow from the list of kinds.
//!
//! **To add a kind**: add its folder, its `mod` line and its line in `kinds!`. A server is a struct with the fields `name`, `image`, `version`,
//! `resources`, `storage` and `location` that implements [`ServerKind`]; a client is a struct with a field `client` that implements [`ServerClient`]; both
//! are `Copy`. The folder's public items are re-exported at the crate's root.

mod dispatch;
pub(crate) mod postgresql;
pub(crate) mod rabbitmq;
pub(crate) mod valkey;

use crate::{
    BackingName, Call, Client, Diagnostic, HttpPath, Image, LoginEnv, Platform, Quantity, Resources, ServerVersion,
    SourceLocation, VariableName,
};
use dispatch::kinds;

kinds! {
    rabbitmq: RabbitMq, AmqpClient;
    postgresql: PostgreSql, SqlClient;
    valkey: Valkey, ValkeyClient;
}

/// What a kind of server tells the rest of the crate. It is implemented by the struct that declares a server of this kind.
pub(crate) trait ServerKind {
    /// The product's name, as its vendor writes it.
    const PRODUCT: &'static str;

    /// The port that clients connect to.
    const PORT: u16;

    /// The oldest version that the chart runs. Every version of the kind has as many numbers as this one.
    const OLDEST: ServerVersion;

    /// How to declare a use, as an instruction.
    const USE_HELP: &'static str;

    /// How to merge several clients of one service, as an instruction.
    const MERGE_HELP: &'static str;

    /// Reports every mistake in the platform that concerns this kind alone.
    fn check(platform: &Platform, diagnostics: &mut Vec<Diagnostic>);
}

/// What a client of any kind tells the checks that concern clients of every kind.
pub(crate) trait ServerClient {
    /// The environment variables that this client sets, in the order in which they are emitted.
    fn variables(&self) -> Vec<VariableName>;

    /// The variables that get the login's name and password; none for a client that cannot log in.
    fn login(&self) -> Option<LoginEnv>;

    /// The handles that this client uses.
    fn handles(&self) -> Vec<Handle>;

    /// Whether this client declares no use of its server.
    fn is_idle(&self) -> bool;
}

/// Something that lies on a server, such as a queue or a database.
pub(crate) struct Handle {
    /// Kind and name, such as ``queue `orders` ``.
    pub(crate) what: String,
    /// The server that it lies on.
    pub(crate) server: BackingName,
    /// Where it is declared.
    pub(crate) location: SourceLocation,
}
