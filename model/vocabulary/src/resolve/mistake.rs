//! The mistakes that only a whole platform shows, one variant each, and what is said about them.

use super::report::Described;
use crate::Place;

macro_rules! mistakes {
    ($(
        $(#[doc = $doc:literal])*
        $variant:ident { $($field:ident: $type:ty),* $(,)? }
        $what:literal
        [$($role:literal => $place:expr),* $(,)?]
        help $help:literal
    )*) => {
        /// One mistake of a declaration: what is wrong with which item, the places where to look, and what to do.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the fields are the words of the message that stands beside them")]
        pub enum Mistake {
            $($(#[doc = $doc])* $variant { $($field: $type),* },)*
        }

        impl Mistake {
            pub(super) fn describe(&self) -> Described {
                match self {
                    $(Self::$variant { $($field),* } => {
                        $(let _ = $field;)*
                        Described {
                            what: format!($what),
                            places: vec![$((format!($role), *$place)),*],
                            help: format!($help),
                        }
                    })*
                }
            }
        }
    };
}

mistakes! {
    /// Two charts of one name.
    ChartTwice { name: &'static str, first: Place, second: Place }
        "two services or backing services are called `{name}`"
        ["first" => first, "again" => second]
        help "each is a chart of its own and a key in the values: rename one of them"
    /// A chart's name that means something else in the values or to Helm.
    NameReserved { name: &'static str, meaning: &'static str, place: Place }
        "`{name}` cannot be a service's name: it is {meaning}"
        ["declared" => place]
        help "rename the service, for instance to `{name}-service`"
    /// A name that the cluster would not take.
    NameTooLong { name: &'static str, of: &'static str, length: usize, limit: usize, release: usize, place: Place }
        "`{name}` is too long: {of} would have {length} characters, {limit} are allowed"
        ["declared" => place]
        help "a release's name of {release} characters (`longest_release_name`) and a dash stand before it: shorten one of the two"
    /// A length of release names that no release can have.
    ReleaseNameLength { declared: usize, place: Place }
        "the longest release name is declared as {declared} characters"
        ["declared" => place]
        help "Helm takes names of 1 to 53 characters; 20 leave room for service names of 23"
    /// A platform without a service.
    NoService { platform: String, place: Place }
        "platform `{platform}` has no service"
        ["declared" => place]
        help "declare one, and list it in `services`"
    /// Two ports of a service with one name.
    PortNameTwice { service: &'static str, port: &'static str, first: Place, second: Place }
        "{service} has two ports called `{port}`"
        ["first" => first, "again" => second]
        help "a port's name is unique within its service: rename one"
    /// Two ports of a service with one number.
    PortNumberTwice { service: &'static str, number: u16, first: Place, second: Place }
        "{service} listens twice on port {number}"
        ["first" => first, "again" => second]
        help "only one socket can: give one of the ports another number, or declare it once"
    /// A port that the service does not list.
    PortNotListed { service: &'static str, port: &'static str, by: String, place: Place }
        "{by} refers to port `{port}`, which {service} does not list"
        ["{service}" => place]
        help "add it to the `ports` of {service}, or refer to one that is there"
    /// A port of the wrong protocol.
    PortNotHttp { service: &'static str, port: &'static str, by: String, place: Place }
        "{by} needs HTTP, but port `{port}` of {service} is not an HTTP port"
        ["declared" => place]
        help "refer to a `Port::http`"
    /// A liveness probe that follows a dependency.
    LivenessFollowsDependency { service: &'static str, path: String, dependencies: String, port: String, route: Place, place: Place }
        "liveness probe of {service} asks `{path}`, which fails while {dependencies} is away"
        ["declared" => place, "the route" => route]
        help "a liveness probe that follows dependencies restarts healthy pods; use `Probe::tcp(…)` on port `{port}`"
    /// A health route that depends on something the service does not use.
    RouteFollowsStranger { service: &'static str, path: String, backing: &'static str, place: Place }
        "route `{path}` of {service} fails without {backing}, which {service} does not use"
        ["the route" => place]
        help "add a client of {backing} to its `uses`, or take it out of `fails_without`"
    /// A client that never reconnects and a probe that does not see it.
    LossUnseen { service: &'static str, backing: &'static str, client: Place, place: Place }
        "{service} never reconnects to {backing}, and its probes do not look at its connections"
        ["the client" => client, "{service}" => place]
        help "only a restart mends it, so its health is `Health::by_connections(Python3)`"
    /// A probe on connections without a reason.
    NothingToWatch { service: &'static str, place: Place }
        "{service} is judged by its connections, but reconnects by itself"
        ["{service}" => place]
        help "say of a client in its `uses` that it `.never_reconnects(\"how that is known\")`, or use `Health::probes`"
    /// A user of a container that is root.
    RunsAsRoot { service: &'static str, place: Place }
        "{service} runs as root (`user: 0`)"
        ["{service}" => place]
        help "Pod Security `restricted` refuses it: leave `user` out, or give another number"
    /// A variable set twice.
    VariableTwice { service: &'static str, variable: &'static str, first: Place, second: Place }
        "{service} sets variable `{variable}` twice"
        ["first" => first, "again" => second]
        help "a variable has one value: remove one of them, or let the program read another"
    /// Two variables with one key in the values.
    KeyTwice { service: &'static str, key: String, one: String, other: String, place: Place }
        "`{one}` and `{other}` of {service} would both be `{key}` in the values"
        ["{service}" => place]
        help "keys of the values are the names in camelCase without underscores: rename one of them"
    /// A default or a value that its own setting refuses.
    SettingRefuses { service: &'static str, variable: &'static str, by: String, value: String, allowed: String, place: Place }
        "{by} gives `{variable}` of {service} the value `{value}`, which is not {allowed}"
        ["declared" => place]
        help "use a value that the setting allows, or widen the setting"
    /// A limit below the request.
    LimitBelowRequest { of: &'static str, what: &'static str, request: String, limit: String, place: Place }
        "{of} asks for {request} of {what} and is limited to {limit}"
        ["declared" => place]
        help "a limit is never below the request: raise it"
    /// Two writable folders of which one holds the other.
    FolderTwice { service: &'static str, path: String, other: String, first: Place, second: Place }
        "{service} writes to `{path}` and to `{other}`, which is the same folder or lies in it"
        ["first" => first, "again" => second]
        help "one volume is enough: keep the outer one"
    /// A rule at the Kubernetes API that says nothing, or everything.
    ApiRuleUnclear { service: &'static str, what: String, place: Place }
        "a rule of {service} at the Kubernetes API {what}"
        ["declared" => place]
        help "name exactly the kinds, verbs and objects that the program needs"
    /// A service that calls itself.
    CallsItself { service: &'static str, place: Place }
        "{service} calls itself"
        ["declared" => place]
        help "a pod reaches itself on localhost: remove the call"
    /// Two calls to one port.
    CalledTwice { service: &'static str, callee: &'static str, port: &'static str, first: Place, second: Place }
        "{service} calls port `{port}` of {callee} twice"
        ["first" => first, "again" => second]
        help "one call is enough: it is the address that is declared, not the routes"
    /// A call to a service that is not listed.
    ServiceNotListed { service: &'static str, by: String, place: Place }
        "{by} refers to service `{service}`, which the platform does not list"
        ["declared" => place]
        help "add it to the `services` of the platform, or remove the reference"
    /// A client of a backing service that is not listed.
    BackingNotListed { backing: &'static str, by: String, place: Place }
        "{by} refers to backing service `{backing}`, which the platform does not list"
        ["declared" => place]
        help "add it to the `backing` of the platform, or remove the reference"
    /// A backing service that nobody uses.
    BackingUnused { backing: &'static str, place: Place }
        "nobody uses {backing}"
        ["declared" => place]
        help "let a service use it (`.client(…)`), or take it out of the `backing` of the platform"
    /// Two clients of one backing service.
    ClientTwice { service: &'static str, backing: &'static str, first: Place, second: Place }
        "{service} has two clients of {backing}"
        ["first" => first, "again" => second]
        help "a service declares once how it reaches {backing}, and then each use of it: merge them"
    /// A broker's client that does nothing.
    ClientIdle { service: &'static str, backing: &'static str, place: Place }
        "{service} is a client of {backing} and does nothing there"
        ["declared" => place]
        help "say what it does, or remove the client"
    /// A handle of one server used with another's client.
    ForeignHandle { service: &'static str, backing: &'static str, what: String, owner: &'static str, place: Place }
        "{service} uses {what} of {owner} through its client of {backing}"
        ["the client" => place]
        help "use it through a client of {owner}"
    /// A queue that nobody consumes.
    QueueNeverConsumed { queue: &'static str, by: String, place: Place }
        "queue `{queue}` is filled but never consumed"
        ["filled by {by}" => place]
        help "let a service consume it (`consumes(…)`), or say who does: `.emptied_from_outside(\"by whom\")`"
    /// A queue that nobody fills.
    QueueNeverFilled { queue: &'static str, by: String, place: Place }
        "queue `{queue}` is consumed but never filled"
        ["consumed by {by}" => place]
        help "let a service publish to it (`publishes(…)`), or say who does: `.filled_from_outside(\"by whom\")`"
    /// A queue used twice in one way.
    QueueUseTwice { service: &'static str, queue: &'static str, how: &'static str, place: Place }
        "{service} {how} queue `{queue}` twice"
        ["the client" => place]
        help "say it once"
    /// A queue, exchange or database declared twice.
    DeclaredTwice { what: &'static str, name: &'static str, server: &'static str, first: Place, second: Place }
        "{what} `{name}` of {server} is declared twice"
        ["first" => first, "again" => second]
        help "declare it once, as a constant, and refer to that"
    /// A database with two owners.
    DatabaseOwnedTwice { database: &'static str, one: &'static str, other: &'static str, first: Place, second: Place }
        "database `{database}` has two owners"
        ["{one}" => first, "{other}" => second]
        help "who owns a database decides its tables alone: give {other} a database of its own, or let it ask {one}"
    /// A service whose login would be the role that owns a database.
    RoleTaken { service: &'static str, database: &'static str, role: String, place: Place, owner: Place }
        "the login of {service} would be `{role}`, which is the role that owns database `{database}`"
        ["{service}" => place, "{database}" => owner]
        help "rename the service or the database"
    /// Two clients of a cache that cannot log in.
    AnonymousTwice { backing: &'static str, one: &'static str, other: &'static str, first: Place, second: Place }
        "{one} and {other} both use {backing} without logging in"
        ["{one}" => first, "{other}" => second]
        help "they would share the server's default user and so each other's rights: give one a login, or a cache of its own"
    /// Two environments of one name.
    EnvironmentTwice { name: &'static str, first: Place, second: Place }
        "there are two environments called `{name}`"
        ["first" => first, "again" => second]
        help "each is an overlay file of its own: rename or merge them"
    /// An environment that changes one thing twice.
    ChangedTwice { environment: &'static str, what: String, place: Place }
        "environment `{environment}` changes {what} twice"
        ["declared" => place]
        help "keep one of the two"
    /// An environment that changes what is not there.
    NothingToChange { environment: &'static str, what: String, why: String, place: Place }
        "environment `{environment}` changes {what}, but {why}"
        ["declared" => place]
        help "declare it at the service first, or remove the change"
    /// An environment's value out of bounds.
    ChangeRefused { environment: &'static str, what: String, why: String, place: Place }
        "environment `{environment}` cannot set {what}: {why}"
        ["declared" => place]
        help "use a value within the bounds"
    /// A text that cannot be shown where it must be.
    TextRefused { of: String, what: &'static str, why: &'static str, place: Place }
        "the {what} of {of} {why}"
        ["declared" => place]
        help "write it as one line of plain text"
    /// A value that no environment variable can hold.
    ValueRefused { of: String, variable: &'static str, why: &'static str, place: Place }
        "variable `{variable}` of {of} has a value that {why}"
        ["declared" => place]
        help "an environment variable holds any text without NUL: encode the value"
}
