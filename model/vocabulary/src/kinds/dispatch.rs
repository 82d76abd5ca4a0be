//! The enums over all kinds of servers, and their dispatch to each kind.

/// Generates the enums over all kinds, and their dispatch to each kind. A line is `module: Server, Client;`.
macro_rules! kinds {
    ($($module:ident: $kind:ident, $client:ident;)*) => {
        $(pub use $module::*;)*

        /// The kinds of servers.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind {
            $(#[doc = concat!("The kind of [`", stringify!($kind), "`].")] $kind,)*
        }

        impl Kind {
            /// The product's name, as its vendor writes it.
            #[must_use]
            pub const fn product(self) -> &'static str {
                match self { $(Self::$kind => <$kind as ServerKind>::PRODUCT,)* }
            }

            /// The port that clients connect to.
            #[must_use]
            pub const fn port(self) -> u16 {
                match self { $(Self::$kind => <$kind as ServerKind>::PORT,)* }
            }

            /// The oldest version that the chart runs. Every version of the kind has as many numbers as this one.
            pub(crate) const fn oldest(self) -> ServerVersion {
                match self { $(Self::$kind => <$kind as ServerKind>::OLDEST,)* }
            }

            /// How to declare a use of a server, as an instruction.
            pub(crate) const fn use_help(self) -> &'static str {
                match self { $(Self::$kind => <$kind as ServerKind>::USE_HELP,)* }
            }

            /// How to merge several clients of one service, as an instruction.
            pub(crate) const fn merge_help(self) -> &'static str {
                match self { $(Self::$kind => <$kind as ServerKind>::MERGE_HELP,)* }
            }
        }

        /// A backing service: a server of any kind.
        #[derive(Clone, Copy, Debug)]
        pub enum Backing {
            $(#[doc = concat!("A server of kind [`Kind::", stringify!($kind), "`].")] $kind($kind),)*
        }

        impl Backing {
            /// Its name.
            #[must_use]
            pub const fn name(&self) -> BackingName {
                match self { $(Self::$kind(server) => server.name,)* }
            }

            /// Its kind.
            #[must_use]
            pub const fn kind(&self) -> Kind {
                match self { $(Self::$kind(_) => Kind::$kind,)* }
            }

            /// Its image.
            #[must_use]
            pub const fn image(&self) -> Image {
                match self { $(Self::$kind(server) => server.image,)* }
            }

            /// The version that decides whether its image can use the data on its volume.
            #[must_use]
            pub const fn version(&self) -> ServerVersion {
                match self { $(Self::$kind(server) => server.version,)* }
            }

            /// CPU and memory of its pod.
            #[must_use]
            pub const fn resources(&self) -> Resources {
                match self { $(Self::$kind(server) => server.resources,)* }
            }

            /// The size of its data volume.
            #[must_use]
            pub const fn storage(&self) -> Quantity {
                match self { $(Self::$kind(server) => server.storage,)* }
            }

            /// Where it is declared.
            #[must_use]
            pub const fn location(&self) -> SourceLocation {
                match self { $(Self::$kind(server) => server.location,)* }
            }
        }

        /// One thing that a service uses: a server of some kind, or another service.
        ///
        /// The handle of what is used makes it: `RABBITMQ.client(…)`, `API.called(…)`.
        #[derive(Clone, Copy, Debug)]
        pub enum Use {
            $(#[doc = concat!("A client of a [`", stringify!($kind), "`].")] $kind($client),)*
            /// A call to a port of another service.
            Call(Call),
        }

        impl Use {
            /// Declares that the program never reopens this connection once it is lost, or was refused at the program's start; `reason` says how that
            /// is known. Such a service needs [`crate::Health::by_connections`].
            ///
            /// # Panics
            /// For a call, which holds no connection; in a `const` this is a compile error.
            #[must_use]
            #[track_caller]
            pub const fn never_reconnects(self, reason: &'static str) -> Self {
                match self {
                    $(Self::$kind(client) => {
                        Self::$kind($client { client: client.client.never_reconnects(reason), ..client })
                    })*
                    Self::Call(_) => panic!("a call opens a connection of its own each time: there is none to reopen"),
                }
            }

            /// Names a route of the called service that this service requests. The chart's tests request it too, and expect a status of 200 to 299.
            ///
            /// # Panics
            /// For a client of a server, or when the path breaks its rule; in a `const` this is a compile error.
            #[must_use]
            #[track_caller]
            pub const fn requests(self, path: &'static str) -> Self {
                match self {
                    Self::Call(call) => Self::Call(Call { path: Some(HttpPath::new(path)), ..call }),
                    $(Self::$kind(_) => panic!("only a service that is called has routes"),)*
                }
            }

            /// What clients of every kind have; none for a call.
            #[must_use]
            pub const fn client(&self) -> Option<&Client> {
                match self {
                    $(Self::$kind(client) => Some(&client.client),)*
                    Self::Call(_) => None,
                }
            }

            /// The kind of the server; none for a call.
            #[must_use]
            pub const fn kind(&self) -> Option<Kind> {
                match self {
                    $(Self::$kind(_) => Some(Kind::$kind),)*
                    Self::Call(_) => None,
                }
            }

            /// Where it is declared.
            #[must_use]
            pub const fn location(&self) -> SourceLocation {
                match self {
                    $(Self::$kind(client) => client.client.location,)*
                    Self::Call(call) => call.location,
                }
            }

            /// The environment variables that it sets, in the order in which they are emitted.
            #[must_use]
            pub fn variables(&self) -> Vec<VariableName> {
                match self {
                    $(Self::$kind(client) => client.variables(),)*
                    Self::Call(call) => vec![call.env.host, call.env.port],
                }
            }

            /// The variables that get the login's name and password; none for a call, and for a client that cannot log in.
            #[must_use]
            pub fn login(&self) -> Option<LoginEnv> {
                match self {
                    $(Self::$kind(client) => client.login(),)*
                    Self::Call(_) => None,
                }
            }

            /// The client as the checks of every kind see it; none for a call.
            pub(crate) fn server_client(&self) -> Option<&dyn ServerClient> {
                match self {
                    $(Self::$kind(client) => Some(client),)*
                    Self::Call(_) => None,
                }
            }
        }

        /// Reports every mistake that concerns one kind of server alone.
        pub(crate) fn check(platform: &Platform, diagnostics: &mut Vec<Diagnostic>) {
            $(<$kind as ServerKind>::check(platform, diagnostics);)*
        }
    };
}

pub(super) use kinds;
