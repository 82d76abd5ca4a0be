//! The single place that checks a declaration, and reports every mistake at once.
//!
//! A module checks one subject. Its codes, messages and tests lie with it. What concerns one kind of server is checked in
//! [`crate::kinds`].

mod amounts;
mod api;
mod calls;
mod earlier;
mod end_to_end;
mod environments;
mod folders;
mod health;
mod metrics;
mod names;
mod passwords;
mod ports;
mod publication;
mod servers;
mod services;
mod settings;
mod texts;
mod variables;

pub(crate) use end_to_end::marked;
pub(crate) use texts::line;

use crate::{Backing, BackingName, Diagnostics, Platform, Service, ServiceName, kinds};

/// A platform without mistakes: the input of the generator.
///
/// Only [`Platform::resolve`] makes one, so its users can rely on every rule that is checked there.
#[derive(Clone, Debug)]
pub struct Resolved(Platform);

pub(crate) fn resolve(mut platform: Platform) -> Result<Resolved, Diagnostics> {
    let mut diagnostics = Vec::new();
    names::check(&mut platform, &mut diagnostics);
    for service in &platform.services {
        ports::check(service, &mut diagnostics);
        calls::check(&platform, service, &mut diagnostics);
        services::check(service, &mut diagnostics);
        health::check(service, &mut diagnostics);
        variables::check(service, &mut diagnostics);
        amounts::resources(service.name.as_str(), service.resources, service.location, &mut diagnostics);
        folders::check(service, &mut diagnostics);
        api::check(service, &mut diagnostics);
        if let Some(exposure) = service.exposure {
            let reference = format!("the exposure of {}", service.name);
            ports::http_port(service, exposure.port, &reference, exposure.location, &mut diagnostics);
        }
    }
    metrics::check(&platform, &mut diagnostics);
    servers::check(&platform, &mut diagnostics);
    kinds::check(&platform, &mut diagnostics);
    environments::check(&platform, &mut diagnostics);
    end_to_end::check(&platform, &mut diagnostics);
    passwords::check(&platform, &mut diagnostics);
    earlier::check(&platform, &mut diagnostics);
    publication::check(&platform, &mut diagnostics);
    texts::check(&platform, &mut diagnostics);
    if diagnostics.is_empty() { Ok(Resolved(platform)) } else { Err(Diagnostics::new(diagnostics)) }
}

impl Resolved {
    /// The platform that was declared.
    #[must_use]
    pub const fn platform(&self) -> &Platform {
        &self.0
    }

    /// The service of this name.
    ///
    /// # Panics
    /// When the platform has no such service. Every name in a resolved platform is that of a listed service.
    #[must_use]
    pub fn service(&self, name: ServiceName) -> &Service {
        self.0
            .services
            .iter()
            .find(|service| service.name == name)
            .expect("resolve refuses references to services that are not listed")
    }

    /// The server of this name.
    ///
    /// # Panics
    /// When the platform has no such server. Every name in a resolved platform is that of a listed server.
    #[must_use]
    pub fn backing(&self, name: BackingName) -> &Backing {
        self.0
            .backing
            .iter()
            .find(|server| server.name() == name)
            .expect("resolve refuses references to servers that are not listed")
    }
}
