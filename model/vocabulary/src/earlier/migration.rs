//! Changes of objects that an upgrade cannot make by itself.

use crate::SourceLocation;

/// A change of an object between two versions that the API server refuses, or with which data is lost, and what the installer does about it.
///
/// `UPGRADING.md` shows the note. `cargo xtask verify --only upgrade` fails for such a change without a note, and for a note without the change.
#[derive(Clone, Copy, Debug)]
pub struct MigrationNote {
    /// The kind of the object, such as `StatefulSet`.
    pub kind: &'static str,
    /// The name of the object behind `<release>-`.
    pub object: &'static str,
    /// What changes.
    pub change: ObjectChange,
    /// What the installer must know and do, one line of Markdown.
    pub text: &'static str,
    /// The commands to run before the upgrade, one line of `sh` each. They may use `$RELEASE` and `$NAMESPACE`.
    pub commands: &'static [&'static str],
    /// Where it is declared.
    pub location: SourceLocation,
}

/// What changes of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectChange {
    /// An immutable field, by its path: `spec.volumeClaimTemplates`.
    Field(&'static str),
    /// The chart no longer has the object, so its data is deleted or unused.
    Removed,
}

/// A note about an immutable field of an object. `object` is its name behind `<release>-`, `field` a path such as `spec.volumeClaimTemplates`.
#[must_use]
#[track_caller]
pub const fn field_changed(
    kind: &'static str,
    object: &'static str,
    field: &'static str,
    text: &'static str,
) -> MigrationNote {
    let location = SourceLocation::here();
    MigrationNote { kind, object, change: ObjectChange::Field(field), text, commands: &[], location }
}

/// A note about an object with data that the chart no longer has. `object` is its name behind `<release>-`.
#[must_use]
#[track_caller]
pub const fn object_removed(kind: &'static str, object: &'static str, text: &'static str) -> MigrationNote {
    let location = SourceLocation::here();
    MigrationNote { kind, object, change: ObjectChange::Removed, text, commands: &[], location }
}

impl MigrationNote {
    /// The commands to run before the upgrade, see [`MigrationNote::commands`].
    #[must_use]
    pub const fn commands(self, commands: &'static [&'static str]) -> Self {
        Self { commands, ..self }
    }
}
