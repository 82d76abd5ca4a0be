//! The single place that checks a declaration: every mistake at once.

mod amounts;
mod api;
mod backing;
mod diagnostic;
mod end_to_end;
mod environments;
mod health;
mod names;
mod report;
mod services;
mod texts;
mod variables;

pub use diagnostic::Diagnostic;
pub use report::Diagnostics;

pub(crate) use backing::twice;
pub(crate) use end_to_end::marked;
pub(crate) use report::code;
pub(crate) use texts::line;

use crate::{Backing, BackingName, Platform, Service, ServiceName, kinds};

/// A platform without mistakes: what the generator takes. Only [`Platform::resolve`] makes one, so whoever has one may rely on
/// every rule that it checks.
#[derive(Clone, Debug)]
pub struct Resolved(Platform);

pub(crate) fn resolve(mut platform: Platform) -> Result<Resolved, Diagnostics> {
    let mut found = Vec::new();
    names::check(&mut platform, &mut found);
    for service in &platform.services {
        services::check(&platform, service, &mut found);
        health::check(service, &mut found);
        variables::check(service, &mut found);
        amounts::check(service, &mut found);
        api::check(service, &mut found);
    }
    backing::check(&platform, &mut found);
    kinds::check(&platform, &mut found);
    environments::check(&platform, &mut found);
    end_to_end::check(&platform, &mut found);
    texts::check(&platform, &mut found);
    if found.is_empty() { Ok(Resolved(platform)) } else { Err(Diagnostics::new(once(found))) }
}

/// Each mistake once: two items that refer to a third may both have found it wrong.
fn once(found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut all: Vec<Diagnostic> = Vec::new();
    for diagnostic in found {
        if !all.contains(&diagnostic) {
            all.push(diagnostic);
        }
    }
    all
}

impl Resolved {
    /// The platform that was declared.
    #[must_use]
    pub const fn platform(&self) -> &Platform {
        &self.0
    }

    /// The service of that name.
    ///
    /// # Panics
    /// For a name that is not of this platform; the handles in a resolved platform all are.
    #[must_use]
    pub fn service(&self, name: ServiceName) -> &Service {
        self.0
            .services
            .iter()
            .find(|s| s.name == name)
            .expect("resolve refuses references to services that are not there")
    }

    /// The backing service of that name.
    ///
    /// # Panics
    /// For a name that is not of this platform; the handles in a resolved platform all are.
    #[must_use]
    pub fn backing(&self, name: BackingName) -> &Backing {
        self.0
            .backing
            .iter()
            .find(|b| b.name() == name)
            .expect("resolve refuses references to backing services that are not there")
    }
}
