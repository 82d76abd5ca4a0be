//! The platform: all of it in one value.

use crate::{
    BackingName, ChartVersion, Diagnostics, Environment, Image, PlatformName, PostgreSql, Quantity, RabbitMq, Resolved,
    Resources, Service, SourceLocation, Tests, Valkey,
};

/// Everything that is declared. Plain data: [`Platform::resolve`] is what checks it.
#[derive(Clone, Debug)]
pub struct Platform {
    /// Its name: the umbrella chart's name.
    pub name: PlatformName,
    /// What it is, in one line.
    pub doc: &'static str,
    /// The chart's version.
    pub version: ChartVersion,
    /// The address of its home page.
    pub home: &'static str,
    /// The most characters that a release's name may have. Every object is called `<release>-<service>`; names that the cluster would not
    /// take with a release of this length are a mistake of the declaration, longer release names one of whoever installs.
    pub longest_release_name: u8,
    /// Its services.
    pub services: Vec<Service>,
    /// What they use.
    pub backing: Vec<Backing>,
    /// The environments it is installed in.
    pub environments: Vec<Environment>,
    /// What its tests need beside the uses.
    pub tests: Tests,
    /// Where it was declared.
    pub location: SourceLocation,
}

impl Platform {
    /// Checks the whole declaration.
    ///
    /// # Errors
    /// With every mistake there is, each with the places where to look and what to do.
    pub fn resolve(self) -> Result<Resolved, Diagnostics> {
        crate::resolve::resolve(self)
    }
}

/// A backing service of any kind.
#[derive(Clone, Copy, Debug)]
pub enum Backing {
    /// A broker.
    RabbitMq(RabbitMq),
    /// A database server.
    PostgreSql(PostgreSql),
    /// A cache.
    Valkey(Valkey),
}

/// The kinds of backing services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// RabbitMQ.
    RabbitMq,
    /// PostgreSQL.
    PostgreSql,
    /// Valkey.
    Valkey,
}

impl Kind {
    /// The product's name, as its makers write it.
    #[must_use]
    pub const fn product(self) -> &'static str {
        match self {
            Self::RabbitMq => "RabbitMQ",
            Self::PostgreSql => "PostgreSQL",
            Self::Valkey => "Valkey",
        }
    }

    /// The port that clients connect to.
    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Self::RabbitMq => 5672,
            Self::PostgreSql => 5432,
            Self::Valkey => 6379,
        }
    }

    /// The port through which logins are administered.
    #[must_use]
    pub const fn administration_port(self) -> u16 {
        match self {
            // The management interface: AMQP knows no users.
            Self::RabbitMq => 15672,
            Self::PostgreSql | Self::Valkey => self.port(),
        }
    }

    /// The port on which the official image shows metrics by itself, if it does.
    #[must_use]
    pub const fn metrics_port(self) -> Option<u16> {
        match self {
            Self::RabbitMq => Some(15692),
            Self::PostgreSql | Self::Valkey => None,
        }
    }
}

macro_rules! common {
    ($($(#[$doc:meta])* $field:ident: $type:ty),* $(,)?) => {
        impl Backing {
            $($(#[$doc])*
            #[must_use]
            pub const fn $field(&self) -> $type {
                match self {
                    Self::RabbitMq(b) => b.$field,
                    Self::PostgreSql(b) => b.$field,
                    Self::Valkey(b) => b.$field,
                }
            })*
        }
    };
}

common! {
    /// Its name.
    name: BackingName,
    /// Its image.
    image: Image,
    /// What its one pod takes.
    resources: Resources,
    /// The size of its volume.
    storage: Quantity,
    /// Where it was declared.
    location: SourceLocation,
}

impl Backing {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::RabbitMq(_) => Kind::RabbitMq,
            Self::PostgreSql(_) => Kind::PostgreSql,
            Self::Valkey(_) => Kind::Valkey,
        }
    }
}
