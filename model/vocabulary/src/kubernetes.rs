//! What a service may do at the Kubernetes API.

use crate::SourceLocation;

/// One rule of what a service may do at the Kubernetes API, within its own namespace. A service without a rule gets no
/// token at all.
#[derive(Clone, Copy, Debug)]
pub struct ApiRule {
    /// Why the service needs it, for the table of rights.
    pub reason: &'static str,
    /// The API group; the core group is the empty text.
    pub group: &'static str,
    /// The kinds, in the plural of the API (`configmaps`).
    pub resources: &'static [&'static str],
    /// What may be done with them (`get`).
    pub verbs: &'static [&'static str],
    /// The only objects it holds for; all of the namespace when empty. `list`, `watch`, `create` and `deletecollection` cannot
    /// be narrowed so.
    pub names: &'static [&'static str],
    /// Where it was declared.
    pub location: SourceLocation,
}

impl ApiRule {
    /// `verbs` on all objects of these kinds in the namespace.
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

    /// The same rule, for these objects only.
    #[must_use]
    pub const fn only(self, names: &'static [&'static str]) -> Self {
        Self { names, ..self }
    }
}
