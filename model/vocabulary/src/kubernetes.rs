//! Rights at the Kubernetes API.

use crate::SourceLocation;

/// A right of a service at the Kubernetes API, within its own namespace. A service without a rule gets no token.
#[derive(Clone, Copy, Debug)]
pub struct ApiRule {
    /// Why the service needs the right, in one line.
    pub reason: &'static str,
    /// The API group; an empty text for the core group.
    pub group: &'static str,
    /// The resources, in the plural (`configmaps`).
    pub resources: &'static [&'static str],
    /// The verbs (`get`).
    pub verbs: &'static [&'static str],
    /// The names of the objects that the rule is restricted to; when empty, it holds for all objects of the namespace. The API cannot restrict `list`,
    /// `watch`, `create` and `deletecollection` to names.
    pub names: &'static [&'static str],
    /// Where it is declared.
    pub location: SourceLocation,
}

impl ApiRule {
    /// Allows `verbs` on all objects of these resources in the namespace.
    #[must_use]
    #[track_caller]
    pub const fn new(
        reason: &'static str,
        group: &'static str,
        resources: &'static [&'static str],
        verbs: &'static [&'static str],
    ) -> Self {
        Self { reason, group, resources, verbs, names: &[], location: SourceLocation::here() }
    }

    /// Restricts the rule to the objects with these names.
    #[must_use]
    pub const fn only(self, names: &'static [&'static str]) -> Self {
        Self { names, ..self }
    }
}
