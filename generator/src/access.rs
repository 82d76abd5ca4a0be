//! The access graph: who may do what where. Computed once from the declarations, and the only source of NetworkPolicies, broker
//! permissions, database roles, cache users, Secrets and the tables of the README.

use vocabulary::{
    BackingName, CacheLogin, PasswordVariable, Platform, Protocol, QueueUse, Resolved, Service, ServiceName, Use,
    VariableName, VariableSource,
};

use crate::text::value;

/// Who may do what where.
pub(crate) struct Access {
    /// Every path that a declared use needs, by client.
    pub(crate) paths: Vec<Path>,
    /// Every login of a service at a backing service.
    pub(crate) logins: Vec<Login>,
    /// Every secret that whoever installs has to give for a service.
    credentials: Vec<Credential>,
}

/// A secret of a service: the password of a login, or one of its own.
pub(crate) struct Credential {
    /// The service.
    service: ServiceName,
    /// Its key in the service's `credentials`.
    pub(crate) key: String,
    /// The key below that: `password` for a login, `value` for a secret of its own.
    pub(crate) field: &'static str,
    /// What it is for, as a sentence.
    pub(crate) doc: String,
    /// The variable that gets it, and how it is read.
    pub(crate) variable: PasswordVariable,
    /// For a login: the variable that gets the user's name.
    pub(crate) user: Option<VariableName>,
}

/// Where a credential lies in the values: whose it is, for what, and under which key the secret text itself stands. Its paths are those of
/// the umbrella's values; in the chart that it belongs to they lack the first part.
#[derive(Clone, Copy)]
pub(crate) struct CredentialAt<'a> {
    pub(crate) owner: &'a str,
    pub(crate) key: &'a str,
    pub(crate) field: &'static str,
}

impl<'a> CredentialAt<'a> {
    /// Of a password.
    pub(crate) const fn password(owner: &'a str, key: &'a str) -> Self {
        Self { owner, key, field: "password" }
    }

    /// Where all that is said of it lies.
    pub(crate) const fn section(self) -> [&'a str; 3] {
        [self.owner, "credentials", self.key]
    }

    /// Where the secret text lies.
    pub(crate) const fn text(self) -> [&'a str; 4] {
        [self.owner, "credentials", self.key, self.field]
    }

    /// Where its revision lies.
    pub(crate) const fn revision(self) -> [&'a str; 4] {
        [self.owner, "credentials", self.key, "revision"]
    }
}

impl Credential {
    /// Where it lies.
    pub(crate) fn at(&self) -> CredentialAt<'_> {
        CredentialAt { owner: self.service.as_str(), key: &self.key, field: self.field }
    }
}

/// A path over the network: a service opens connections to a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Path {
    /// Who connects.
    pub(crate) from: ServiceName,
    /// To whom.
    pub(crate) to: End,
    /// On which port.
    pub(crate) port: u16,
}

/// The end that is connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    /// A backing service.
    Backing(BackingName),
    /// Another service.
    Service(ServiceName),
}

impl End {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Backing(name) => name.as_str(),
            Self::Service(name) => name.as_str(),
        }
    }
}

/// A login of a service at a backing service, with all that it may do there.
pub(crate) struct Login {
    /// The service.
    pub(crate) service: ServiceName,
    /// The backing service.
    pub(crate) backing: BackingName,
    /// The variables that get name and password; none for a client that cannot log in.
    pub(crate) variables: Option<LoginVariables>,
    /// What it may do.
    pub(crate) rights: Rights,
}

impl Login {
    /// Whether its service is installed, as an expression of the umbrella's templates.
    pub(crate) fn enabled(&self) -> String {
        value(&[self.service.as_str(), "enabled"])
    }

    /// The name that it logs in with, as text of a template of its service's chart. It carries the credential's revision, so that a new
    /// login and the one before it exist side by side; and the release, so that on a server that several releases use each finds its own.
    pub(crate) fn user(&self, platform: &str) -> String {
        self.named(platform, &value(&self.at().revision()[1..]))
    }

    /// The same name, as text of the umbrella's templates.
    pub(crate) fn user_in_umbrella(&self, platform: &str) -> String {
        self.named(platform, &value(&self.at().revision()))
    }

    /// The same name, for a reader.
    pub(crate) fn user_in_words(&self) -> String {
        let service = self.service;
        match (&self.rights, self.variables) {
            (_, None) => "default".to_owned(),
            (Rights::Sql { .. }, _) => format!("{}_r<revision>_<mark>", sql_identifier(service)),
            (Rights::Amqp { .. } | Rights::Valkey { .. }, _) => {
                format!("<namespace>.<release>.{service}.r<revision>")
            }
        }
    }

    fn named(&self, platform: &str, revision: &str) -> String {
        let service = self.service;
        match (&self.rights, self.variables) {
            (_, None) => "default".to_owned(),
            // An SQL identifier that needs no quotes and has at most 63 bytes, whatever the namespace is called: hence a mark for the
            // release. A service's name has no underscore, so no two services become one.
            (Rights::Sql { .. }, _) => {
                let service = sql_identifier(service);
                format!(r#"{service}_r{{{{ int {revision} }}}}_{{{{ include "{platform}.releaseHash" . }}}}"#)
            }
            (Rights::Amqp { .. } | Rights::Valkey { .. }, _) => {
                format!("{{{{ .Release.Namespace }}}}.{{{{ .Release.Name }}}}.{service}.r{{{{ int {revision} }}}}")
            }
        }
    }

    /// The key of its password in its server's Secret, as text of the umbrella's templates.
    pub(crate) fn key(&self) -> String {
        format!("{}.r{{{{ int {} }}}}", self.service, value(&self.at().revision()))
    }

    /// Where its password lies.
    pub(crate) const fn at(&self) -> CredentialAt<'static> {
        CredentialAt::password(self.service.as_str(), self.backing.as_str())
    }
}

fn sql_identifier(service: ServiceName) -> String {
    service.as_str().replace('-', "_")
}

/// The variables that get a login's name and password.
#[derive(Clone, Copy)]
pub(crate) struct LoginVariables {
    pub(crate) user: VariableName,
    pub(crate) password: PasswordVariable,
}

/// What a login may do.
pub(crate) enum Rights {
    /// At a broker: regular expressions of what it may configure, write to and read from, in RabbitMQ's own terms.
    Amqp { configure: String, write: String, read: String, words: String },
    /// At a database server: the database that it owns.
    Sql { database: &'static str },
    /// At a cache: a pattern of keys, and commands.
    Valkey { pattern: &'static str, commands: &'static [&'static str] },
}

impl Access {
    pub(crate) fn of(platform: &Resolved) -> Self {
        let services = &platform.platform().services;
        let mut access = Self { paths: Vec::new(), logins: Vec::new(), credentials: Vec::new() };
        for service in services {
            for one in service.uses {
                access.paths.push(Path { from: service.name, to: end(one), port: port(one) });
                if let Some(login) = login(service, one) {
                    access.credentials.extend(password(&login));
                    access.logins.push(login);
                }
            }
            access.credentials.extend(service.environment.iter().filter_map(|variable| match variable.source {
                VariableSource::Secret(doc) => Some(Credential {
                    service: service.name,
                    key: variable.name.camel_case(),
                    field: "value",
                    doc: doc.to_owned(),
                    variable: PasswordVariable { name: variable.name, libpq_value: false },
                    user: None,
                }),
                VariableSource::Fixed(_) | VariableSource::Port(_) | VariableSource::Setting(_) => None,
            }));
        }
        access
    }

    /// The paths that a service opens.
    pub(crate) fn from(&self, service: ServiceName) -> impl Iterator<Item = &Path> {
        self.paths.iter().filter(move |path| path.from == service)
    }

    /// The paths that lead to a service or backing service.
    pub(crate) fn to(&self, name: &str) -> impl Iterator<Item = &Path> {
        self.paths.iter().filter(move |path| path.to.name() == name)
    }

    /// The logins at a backing service.
    pub(crate) fn logins_at(&self, backing: BackingName) -> impl Iterator<Item = &Login> {
        self.logins.iter().filter(move |login| login.backing == backing)
    }

    /// The login of a service at a backing service.
    pub(crate) fn login(&self, service: ServiceName, backing: &str) -> Option<&Login> {
        self.logins.iter().find(|login| login.service == service && login.backing.as_str() == backing)
    }

    /// The login whose password a credential is.
    pub(crate) fn login_of(&self, credential: &Credential) -> Option<&Login> {
        credential.user.and_then(|_| self.login(credential.service, &credential.key))
    }

    /// The secrets of a service: the passwords of its logins, then its own.
    pub(crate) fn credentials_of(&self, service: ServiceName) -> impl Iterator<Item = &Credential> {
        self.credentials.iter().filter(move |credential| credential.service == service)
    }
}

/// Where a use leads.
pub(crate) fn end(one: &Use) -> End {
    match one {
        Use::Call(call) => End::Service(call.endpoint.service),
        Use::RabbitMq(c) => End::Backing(c.client.backing),
        Use::PostgreSql(c) => End::Backing(c.client.backing),
        Use::Valkey(c) => End::Backing(c.client.backing),
    }
}

/// The port that it leads to.
pub(crate) fn port(one: &Use) -> u16 {
    match (one, one.kind()) {
        (Use::Call(call), _) => call.endpoint.port.number,
        (_, Some(kind)) => kind.port(),
        (_, None) => unreachable!("only a call has no backing service"),
    }
}

fn password(login: &Login) -> Option<Credential> {
    login.variables.map(|variables| Credential {
        service: login.service,
        key: login.backing.to_string(),
        field: login.at().field,
        doc: format!("The password of its own login at {}.", login.backing),
        variable: variables.password,
        user: Some(variables.user),
    })
}

fn login(service: &Service, one: &Use) -> Option<Login> {
    let client = one.client()?;
    let (variables, rights) = match one {
        Use::RabbitMq(c) => {
            (Some(LoginVariables { user: c.env.user, password: c.env.password }), amqp_rights(c.queues))
        }
        Use::PostgreSql(c) => {
            let variables = LoginVariables { user: c.env.user, password: c.env.password };
            (Some(variables), Rights::Sql { database: c.database.database.name.as_str() })
        }
        Use::Valkey(c) => {
            let rights = Rights::Valkey { pattern: c.keys.pattern.as_str(), commands: c.keys.commands };
            match c.env.login {
                CacheLogin::Anonymous => (None, rights),
                CacheLogin::Own { user, password } => (Some(LoginVariables { user, password }), rights),
            }
        }
        Use::Call(_) => return None,
    };
    Some(Login { service: service.name, backing: client.backing, variables, rights })
}

/// RabbitMQ's permissions for these uses. Declaring a queue takes *configure* on it, consuming *read*; publishing takes *write* on the
/// exchange, which for the default exchange is checked under the name `amq.default`.
fn amqp_rights(uses: &[QueueUse]) -> Rights {
    let (mut configure, mut write, mut read, mut words) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for queue_use in uses {
        let queue = queue_use.queue().name.as_str();
        configure.push(queue);
        match queue_use {
            QueueUse::Consumes { .. } => {
                read.push(queue);
                words.push(format!("consume `{queue}`"));
            }
            QueueUse::Publishes { exchange: None, .. } => {
                write.push("amq.default");
                words.push(format!("publish to `{queue}`"));
            }
            QueueUse::Publishes { exchange: Some((exchange, _)), .. } => {
                write.push(exchange.name.as_str());
                words.push(format!("publish to `{queue}` through `{}`", exchange.name));
            }
        }
    }
    Rights::Amqp { configure: exactly(configure), write: exactly(write), read: exactly(read), words: words.join(", ") }
}

/// A regular expression that matches exactly these names; RabbitMQ's are not anchored by themselves.
pub(crate) fn exactly(mut names: Vec<&str>) -> String {
    names.sort_unstable();
    names.dedup();
    let names: Vec<_> = names.iter().map(|name| name.replace('.', r"\.")).collect();
    if names.len() > 1 { format!("^({})$", names.join("|")) } else { format!("^{}$", names.concat()) }
}

/// The ports that monitoring scrapes: of the services, then of the servers.
pub(crate) fn scraped(platform: &Platform) -> impl Iterator<Item = (&'static str, u16)> {
    let services = platform.services.iter().flat_map(|s| metrics_ports(s).map(|port| (s.name.as_str(), port)));
    services.chain(platform.backing.iter().filter_map(|b| Some((b.name().as_str(), b.kind().metrics_port()?))))
}

/// The ports of a service that monitoring scrapes.
pub(crate) fn metrics_ports(service: &Service) -> impl Iterator<Item = u16> {
    service.ports.iter().filter(|port| port.protocol == Protocol::Metrics).map(|port| port.number)
}

#[cfg(test)]
mod tests {
    use super::exactly;

    #[test]
    fn patterns_are_anchored_and_dots_are_dots() {
        assert_eq!(exactly(vec![]), "^$");
        assert_eq!(exactly(vec!["amq.default", "amq.default"]), r"^amq\.default$");
        assert_eq!(exactly(vec!["b.c", "a"]), r"^(a|b\.c)$");
    }
}
