//! Earlier versions of the chart: what became of their values, and how a release of them moves to this version.

mod migration;

pub use migration::{MigrationNote, ObjectChange, field_changed, object_removed};

use crate::{BackingName, ChartVersion, ServerVersion, ServiceName, SourceLocation, VariableName};

/// A version of the chart that had other values than this one, or whose releases need steps by hand.
///
/// The chart refuses the values that are listed here and names the successor of each. `cargo xtask migrate-values` converts them.
#[derive(Clone, Copy, Debug)]
pub struct EarlierVersion {
    /// The last version of the chart that had these values.
    pub version: ChartVersion,
    /// Its values that this version does not have.
    pub keys: &'static [EarlierKeys],
    /// What an installer does before `helm upgrade`, one note for each change of an object that the API server refuses or that loses data. Each change
    /// is one between this version and the next one.
    pub migrations: &'static [MigrationNote],
    /// How an installed release moves to this version, if `helm upgrade` cannot do it.
    pub reinstallation: Option<Reinstallation>,
    /// Where it is declared.
    pub location: SourceLocation,
}

impl EarlierVersion {
    /// A version from which `helm upgrade` leads to this one.
    ///
    /// # Panics
    /// When the text is not a version; in a `const` this is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn new(version: &'static str, keys: &'static [EarlierKeys]) -> Self {
        Self {
            version: ChartVersion::new(version),
            keys,
            migrations: &[],
            reinstallation: None,
            location: SourceLocation::here(),
        }
    }

    /// A release of this version is upgraded with these steps.
    #[must_use]
    pub const fn migrations(self, migrations: &'static [MigrationNote]) -> Self {
        Self { migrations, ..self }
    }

    /// A release of this version must be uninstalled, and this version installed in its place.
    #[must_use]
    pub const fn reinstalled(self, reinstallation: Reinstallation) -> Self {
        Self { reinstallation: Some(reinstallation), ..self }
    }
}

/// The same keys in the values of several components.
#[derive(Clone, Copy, Debug)]
pub struct EarlierKeys {
    /// The sections of the values that had them.
    pub owners: Owners,
    /// The keys.
    pub keys: &'static [EarlierKey],
}

/// The sections of the values that had a key.
#[derive(Clone, Copy, Debug)]
pub enum Owners {
    /// The top level: the paths of the keys are those in `values.yaml`.
    Chart,
    /// The sections of these services.
    Services(&'static [ServiceName]),
    /// The sections of these servers.
    Servers(&'static [BackingName]),
}

/// Keys at the top level of the values, such as the section of a service that no longer exists.
#[must_use]
pub const fn of_chart(keys: &'static [EarlierKey]) -> EarlierKeys {
    EarlierKeys { owners: Owners::Chart, keys }
}

/// Keys in the sections of these services.
#[must_use]
pub const fn of_services(services: &'static [ServiceName], keys: &'static [EarlierKey]) -> EarlierKeys {
    EarlierKeys { owners: Owners::Services(services), keys }
}

/// Keys in the sections of these servers.
#[must_use]
pub const fn of_servers(servers: &'static [BackingName], keys: &'static [EarlierKey]) -> EarlierKeys {
    EarlierKeys { owners: Owners::Servers(servers), keys }
}

/// A key of the values of an earlier version, with everything below it.
#[derive(Clone, Copy, Debug)]
pub struct EarlierKey {
    /// Its path below the section, with dots: `ports.nodePort`.
    pub key: &'static str,
    /// What became of it.
    pub fate: Fate,
    /// Where it is declared.
    pub location: SourceLocation,
}

/// What became of a key.
#[derive(Clone, Copy, Debug)]
pub enum Fate {
    /// Its value has another key.
    Renamed(Renamed),
    /// It held environment variables of a service, as a map or as a list of `name` and `value`. The variables that the service declares as a setting or
    /// as a secret have values of their own; the chart sets the others.
    Variables,
    /// Its value has no successor. The reason completes the sentence “Remove it: …”.
    Removed(&'static str),
}

/// The successor of a key.
#[derive(Clone, Copy, Debug)]
pub struct Renamed {
    /// The path of the new key: below the same section, or from the top if `is_absolute`. The generator checks that it exists.
    pub to: &'static str,
    /// Whether `to` begins at the top of the values.
    pub is_absolute: bool,
    /// Words that are written otherwise now: the old and the new one of each. A value that is not among them is not carried over; without any, every
    /// value is.
    pub words: &'static [(&'static str, &'static str)],
    /// A value without which the new key has no effect: the path of its key below the same section, and its text.
    pub requires: Option<(&'static str, &'static str)>,
}

/// A key that is called otherwise in the same section.
#[must_use]
#[track_caller]
pub const fn renamed(key: &'static str, to: &'static str) -> EarlierKey {
    let renamed = Renamed { to, is_absolute: false, words: &[], requires: None };
    EarlierKey { key, fate: Fate::Renamed(renamed), location: SourceLocation::here() }
}

/// A key whose value is in another section now; `to` is a path from the top of the values.
#[must_use]
#[track_caller]
pub const fn moved(key: &'static str, to: &'static str) -> EarlierKey {
    let renamed = Renamed { to, is_absolute: true, words: &[], requires: None };
    EarlierKey { key, fate: Fate::Renamed(renamed), location: SourceLocation::here() }
}

/// A key with environment variables of a service, see [`Fate::Variables`].
#[must_use]
#[track_caller]
pub const fn variables(key: &'static str) -> EarlierKey {
    EarlierKey { key, fate: Fate::Variables, location: SourceLocation::here() }
}

/// A key without a successor. The reason completes the sentence “Remove it: …”.
#[must_use]
#[track_caller]
pub const fn removed(key: &'static str, reason: &'static str) -> EarlierKey {
    EarlierKey { key, fate: Fate::Removed(reason), location: SourceLocation::here() }
}

impl EarlierKey {
    /// Words of a renamed key that are written otherwise now, see [`Renamed::words`].
    ///
    /// # Panics
    /// When the key was not renamed; in a `const` this is a compile error.
    #[must_use]
    pub const fn words(self, words: &'static [(&'static str, &'static str)]) -> Self {
        assert!(matches!(self.fate, Fate::Renamed(_)), "only a renamed key has words");
        let Fate::Renamed(renamed) = self.fate else { return self };
        Self { fate: Fate::Renamed(Renamed { words, ..renamed }), ..self }
    }

    /// A value without which a renamed key has no effect, see [`Renamed::requires`].
    ///
    /// # Panics
    /// When the key was not renamed; in a `const` this is a compile error.
    #[must_use]
    pub const fn requires(self, key: &'static str, value: &'static str) -> Self {
        assert!(matches!(self.fate, Fate::Renamed(_)), "only a renamed key requires another value");
        let Fate::Renamed(renamed) = self.fate else { return self };
        Self { fate: Fate::Renamed(Renamed { requires: Some((key, value)), ..renamed }), ..self }
    }
}

/// How a release of an earlier version, with its data, moves to this version: it is uninstalled, and this version is installed under its name.
///
/// The chart refuses `helm upgrade` of such a release. It recognizes it by the Deployments of the services, whose selectors lack the label
/// `app.kubernetes.io/component`.
#[derive(Clone, Copy, Debug)]
pub struct Reinstallation {
    /// Why `helm upgrade` cannot do it: completes the sentence “A release of 0.1.0 cannot be upgraded: …”.
    pub reason: &'static str,
    /// The services in groups, in the order in which they are stopped. Before a group is stopped, the queues must be empty. A service that is in no
    /// group stays until the release is uninstalled.
    pub stops: &'static [&'static [ServiceName]],
    /// The servers of the earlier version, whose data moves or whose queues must be empty.
    pub servers: &'static [EarlierServer],
}

/// A server of an earlier version. Its product is that of the server of this platform.
#[derive(Clone, Copy, Debug)]
pub struct EarlierServer {
    /// The server of this platform that takes its place.
    pub server: BackingName,
    /// Its version.
    pub version: ServerVersion,
    /// The name of its StatefulSet behind `<release>-`; a DNS label.
    pub stateful_set: &'static str,
    /// The claims of its data; none if it keeps no data.
    pub claim: Option<EarlierClaim>,
    /// The login that owns the databases, of a-z, 0-9 and _, and the variable in its container that holds the password; none for a server without
    /// databases.
    pub login: Option<(&'static str, VariableName)>,
}

/// The claims of a StatefulSet of an earlier version.
#[derive(Clone, Copy, Debug)]
pub struct EarlierClaim {
    /// The name of the volume claim template; a DNS label.
    pub template: &'static str,
    /// The value of the label `app.kubernetes.io/component` of the StatefulSet's selector, which its claims have too. It tells them from claims of this
    /// chart with the same name, whose server has another component.
    pub component: &'static str,
}
