//! The mistakes that only a whole platform shows, one variant each, and what is said about them.

use super::report::Described;
use crate::SourceLocation;

macro_rules! diagnostics {
    ($(
        $(#[doc = $doc:literal])*
        $variant:ident { $($field:ident: $type:ty),* $(,)? }
        $what:literal
        [$($role:literal => $location:expr),* $(,)?]
        help $help:literal
    )*) => {
        /// One mistake of a declaration: what is wrong with which item, the places where to look, and what to do.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the fields are the words of the message that stands beside them")]
        pub enum Diagnostic {
            $($(#[doc = $doc])* $variant { $($field: $type),* },)*
        }

        impl Diagnostic {
            pub(super) fn describe(&self) -> Described {
                match self {
                    $(Self::$variant { $($field),* } => {
                        $(let _ = $field;)*
                        Described {
                            what: format!($what),
                            places: vec![$((format!($role), *$location)),*],
                            help: format!($help),
                        }
                    })*
                }
            }
        }
    };
}

diagnostics! {
    /// A platform without a service.
    NoService { platform: String, location: SourceLocation }
        "platform `{platform}` has no service"
        ["declared" => location]
        help "declare one, and list it in `services`"
    /// One declaration listed twice.
    ListedTwice { what: &'static str, name: &'static str, list: &'static str, location: SourceLocation }
        "the platform lists {what} `{name}` twice"
        ["declared" => location]
        help "take one of the two out of `{list}`"
    /// Two charts of one name.
    ChartTwice { name: &'static str, first: SourceLocation, second: SourceLocation }
        "two services or backing services are called `{name}`"
        ["first" => first, "again" => second]
        help "each is a chart of its own and a key in the values: rename one of them"
    /// A chart's name that means something else in the values, to Helm or to a backing service.
    NameReserved { name: &'static str, what: &'static str, meaning: &'static str, location: SourceLocation }
        "`{name}` cannot be the name of a {what}: it is {meaning}"
        ["declared" => location]
        help "choose another name"
    /// A chart whose objects would have the names of another chart's.
    NameTaken { name: &'static str, other: &'static str, suffix: &'static str, location: SourceLocation, first: SourceLocation }
        "`{name}` is also what {other} calls an object of its own, with `-{suffix}` behind its name"
        ["{name}" => location, "{other}" => first]
        help "two objects of one kind cannot have one name: rename one of the two"
    /// A name that the cluster would not take.
    NameTooLong { name: &'static str, length: usize, limit: usize, release: usize, location: SourceLocation }
        "`{name}` is too long: `<release>-{name}` can have {length} characters, {limit} are allowed"
        ["declared" => location]
        help "the release's name has up to {release} characters (`longest_release_name` of the platform): shorten one of the two names"
    /// A length of release names that no release can have.
    ReleaseNameLength { declared: usize, longest: usize, location: SourceLocation }
        "the longest release name is declared as {declared} characters"
        ["declared" => location]
        help "Helm takes names of 1 to {longest} characters; 20 leave room for names of 22 behind them"

    /// One port listed twice.
    PortTwice { service: &'static str, port: &'static str, number: u16, first: SourceLocation, second: SourceLocation }
        "{service} lists port `{port}` ({number}) twice"
        ["first" => first, "again" => second]
        help "declare it once, as a constant, and list that once"
    /// Two ports of a service with one name.
    PortNameTwice { service: &'static str, port: &'static str, first: SourceLocation, second: SourceLocation }
        "{service} has two ports called `{port}`"
        ["first" => first, "again" => second]
        help "a port's name is unique within its service: rename one"
    /// Two ports of a service with one number.
    PortNumberTwice { service: &'static str, number: u16, first: SourceLocation, second: SourceLocation }
        "{service} listens twice on port {number}"
        ["first" => first, "again" => second]
        help "only one socket can: give one of the ports another number, or declare it once"
    /// A port without a number.
    PortZero { service: &'static str, port: &'static str, location: SourceLocation }
        "port `{port}` of {service} has the number 0"
        ["declared" => location]
        help "give it the number that the program listens on, 1 to 65535"
    /// A port that the service does not list.
    PortNotListed { service: &'static str, port: &'static str, number: u16, by: String, location: SourceLocation, declared: SourceLocation }
        "{by} refers to port `{port}` ({number}), which {service} does not list"
        ["the reference" => location, "the port" => declared]
        help "add it to the `ports` of {service}, or refer to one that is there"
    /// A port of the wrong protocol.
    PortNotHttp { service: &'static str, port: &'static str, by: String, speaks: &'static str, location: SourceLocation, declared: SourceLocation }
        "{by} needs HTTP, but port `{port}` of {service} {speaks}"
        ["the reference" => location, "the port" => declared]
        help "refer to a `Port::http`"

    /// A liveness probe that follows a dependency.
    LivenessFollowsDependency { service: &'static str, path: String, dependencies: String, port: String, route: SourceLocation, location: SourceLocation }
        "liveness probe of {service} asks `{path}`, which fails while {dependencies} is away"
        ["{service}" => location, "the route" => route]
        help "a liveness probe that follows dependencies restarts healthy pods; use `Probe::tcp(…)` on port `{port}`"
    /// A health route that depends on something the service does not use.
    RouteFollowsStranger { service: &'static str, path: String, backing: &'static str, location: SourceLocation }
        "route `{path}` of {service} fails without {backing}, which {service} does not use"
        ["the route" => location]
        help "add a client of {backing} to its `uses`, or take it out of `fails_without`"
    /// A client that never reconnects and a probe that does not see it.
    LossUnseen { service: &'static str, backing: &'static str, client: SourceLocation, location: SourceLocation }
        "{service} never reconnects to {backing}, and its probes do not look at its connections"
        ["the client" => client, "{service}" => location]
        help "only a restart mends it, so its health is `Health::by_connections(Python3)`"
    /// A probe on connections without a reason.
    NothingToWatch { service: &'static str, location: SourceLocation }
        "{service} is judged by its connections, but reconnects by itself"
        ["{service}" => location]
        help "say of a client in its `uses` that it `.never_reconnects(\"how that is known\")`, or use `Health::probes`"
    /// A user of a container that is root.
    RunsAsRoot { service: &'static str, location: SourceLocation }
        "{service} runs as root (`run_as_user: 0`)"
        ["{service}" => location]
        help "Pod Security `restricted` refuses it: leave `run_as_user` out, or give another number"
    /// A user of a container that Kubernetes does not take.
    UserTooLarge { service: &'static str, user: u32, largest: u32, location: SourceLocation }
        "{service} runs as user {user}, which Kubernetes does not take"
        ["{service}" => location]
        help "leave `run_as_user` out, or give a number up to {largest}"
    /// Bounds of autoscaling that hold nothing.
    ScalingRefused { service: &'static str, why: String, location: SourceLocation }
        "{service} scales {why}"
        ["{service}" => location]
        help "use `Scaling::horizontal(min, max, cpu_percent)`: at least one pod, not more at the least than at the most, 1 to 100 percent"

    /// A variable set twice.
    VariableTwice { service: &'static str, variables: String, first: SourceLocation, second: SourceLocation }
        "{service} sets {variables} twice"
        ["first" => first, "again" => second]
        help "a variable has one value: remove it here or there, or let the program read another"
    /// A variable that Kubernetes sets itself.
    VariableReserved { service: &'static str, variable: &'static str, location: SourceLocation }
        "{service} sets variable `{variable}`, which Kubernetes sets in every pod to the address of its API"
        ["declared" => location]
        help "let the program read another"
    /// Two variables with one key in the values.
    KeyTwice { service: &'static str, key: String, one: String, other: String, first: SourceLocation, second: SourceLocation }
        "{one} and {other} of {service} would both be `{key}` in the values"
        ["{one}" => first, "{other}" => second]
        help "a variable's key in the values is its name in camelCase without underscores: rename one of them"
    /// A default or a value that its own setting refuses.
    SettingRefuses { what: &'static str, variable: &'static str, service: &'static str, at: String, value: String, allowed: String, location: SourceLocation }
        "the {what} of setting `{variable}` of {service}{at} is {value}, which is not {allowed}"
        ["declared" => location]
        help "use a value that the setting allows, or widen the setting"
    /// A setting that no value fits.
    SettingAllowsNothing { service: &'static str, variable: &'static str, why: String, location: SourceLocation }
        "no value fits setting `{variable}` of {service}: {why}"
        ["declared" => location]
        help "state what it may be; the default is one of that"
    /// A bound that does not arrive as it is.
    IntegerTooWide { service: &'static str, variable: &'static str, bound: i64, largest: i64, location: SourceLocation }
        "setting `{variable}` of {service} goes as far as {bound}, and numbers of the values are exact up to {largest} (2⁵³ − 1) only"
        ["declared" => location]
        help "state the largest number that makes sense, or declare it as a text"
    /// One option of a choice said twice.
    OptionTwice { service: &'static str, variable: &'static str, option: String, location: SourceLocation }
        "setting `{variable}` of {service} has option {option} twice"
        ["declared" => location]
        help "say it once"
    /// A password written for libpq that goes elsewhere.
    LibpqElsewhere { service: &'static str, variable: &'static str, product: &'static str, location: SourceLocation }
        "{service} reads its password for {product} from `{variable}` as a value of a libpq connection string, which only PostgreSQL has"
        ["the client" => location]
        help "use `plain(\"{variable}\")`"

    /// A limit below the request.
    LimitBelowRequest { of: &'static str, what: &'static str, request: String, limit: String, location: SourceLocation }
        "{of} asks for `{request}` of {what} and is limited to `{limit}`"
        ["declared" => location]
        help "a limit is never below the request: raise it"
    /// An amount of nothing.
    AmountZero { of: String, what: &'static str, amount: String, location: SourceLocation }
        "{of} is given `{amount}` of {what}, which is nothing"
        ["declared" => location]
        help "state how much it needs"
    /// Less than a byte.
    AmountFraction { of: String, what: &'static str, amount: String, how: &'static str, number: String, location: SourceLocation }
        "{of} is given `{amount}` of {what}, which is {how}"
        ["declared" => location]
        help "mebibytes are `{number}Mi`"
    /// Processor time in bytes.
    AmountOfBytes { of: String, amount: String, location: SourceLocation }
        "{of} is given `{amount}` of processor time, which is an amount of bytes"
        ["declared" => location]
        help "processor time is in cores (`2`, `0.5`) or thousandths of one (`500m`)"
    /// Processor time and memory exchanged.
    ResourcesSwapped { of: &'static str, cpu: String, memory: String, location: SourceLocation }
        "{of} is given `{cpu}` of processor time and `{memory}` of memory, which is the wrong way round"
        ["declared" => location]
        help "processor time stands first: `Resources::new(cpu(…), memory(…))`"

    /// Two writable folders of which one holds the other.
    FolderTwice { service: &'static str, outer: String, inner: String, how: &'static str, first: SourceLocation, second: SourceLocation }
        "{service} writes to `{outer}` and to `{inner}`, which {how}"
        ["{outer}" => first, "{inner}" => second]
        help "one volume is enough: keep the outer one"
    /// A writable folder that is somebody else's.
    FolderReserved { service: &'static str, path: String, owner: &'static str, location: SourceLocation }
        "{service} cannot write to `{path}`: that is {owner}"
        ["declared" => location]
        help "let the program write elsewhere"
    /// Two writable folders whose volumes would have one name.
    VolumeTwice { service: &'static str, one: String, other: String, volume: String, first: SourceLocation, second: SourceLocation }
        "the volumes of `{one}` and `{other}` of {service} would both be called `{volume}`"
        ["{one}" => first, "{other}" => second]
        help "a volume is called as its folder, in lower case and with dashes: declare one folder that holds both"
    /// A writable folder whose volume cannot have a name.
    VolumeRefused { service: &'static str, path: String, why: String, location: SourceLocation }
        "the volume of `{path}` of {service} would {why}"
        ["declared" => location]
        help "a volume is called as its folder, in lower case and with dashes: declare a folder that holds this one, or another"

    /// A rule at the Kubernetes API that says nothing.
    ApiRuleEmpty { service: &'static str, lacks: &'static str, location: SourceLocation }
        "a rule of {service} at the Kubernetes API names no {lacks}"
        ["declared" => location]
        help "name exactly the kinds and verbs that the program needs, or remove the rule"
    /// A rule at the Kubernetes API that says everything.
    ApiRuleTooWide { service: &'static str, word: String, location: SourceLocation }
        "a rule of {service} at the Kubernetes API says {word}, which is more than anybody can say yes to"
        ["declared" => location]
        help "name exactly the kinds, verbs and objects that the program needs"
    /// A word that the Kubernetes API does not have.
    ApiWordUnknown { service: &'static str, what: &'static str, word: String, rule: &'static str, location: SourceLocation }
        "a rule of {service} at the Kubernetes API says {word}, which is no {what}"
        ["declared" => location]
        help "{rule}"
    /// A verb that cannot be narrowed to objects by name.
    ApiVerbNarrowed { service: &'static str, verb: &'static str, location: SourceLocation }
        "a rule of {service} narrows `{verb}` by name, which the Kubernetes API does not do"
        ["declared" => location]
        help "take `{verb}` out; if the program needs it, give it a rule of its own without `.only(…)`"

    /// A service that calls itself.
    CallsItself { service: &'static str, location: SourceLocation }
        "{service} calls itself"
        ["the call" => location]
        help "a pod reaches itself on localhost: remove the call"
    /// Two calls to one port.
    CalledTwice { service: &'static str, callee: &'static str, port: &'static str, first: SourceLocation, second: SourceLocation }
        "{service} calls port `{port}` of {callee} twice"
        ["first" => first, "again" => second]
        help "one call is enough: it is the address that is declared, not the routes"
    /// A call to a port that is for monitoring.
    CalledForMetrics { service: &'static str, callee: &'static str, port: &'static str, location: SourceLocation, declared: SourceLocation }
        "{service} calls port `{port}` of {callee}, which is for the monitoring alone"
        ["the call" => location, "the port" => declared]
        help "call a `Port::http` or `Port::tcp` of {callee}; if services use that port as well, declare it as one of these"
    /// A reference to a service that is not listed.
    ServiceNotListed { service: &'static str, by: String, location: SourceLocation }
        "{by} refers to service `{service}`, which the platform does not list"
        ["the reference" => location]
        help "add it to the `services` of the platform, or remove the reference"

    /// A reference to a backing service that is not listed.
    BackingNotListed { backing: &'static str, what: &'static str, by: String, location: SourceLocation }
        "{by} refers to {what} `{backing}`, which the platform does not list"
        ["the reference" => location]
        help "add it to the `backing` of the platform, or remove the reference"
    /// A backing service that nobody uses.
    BackingUnused { backing: &'static str, location: SourceLocation }
        "nobody uses {backing}"
        ["declared" => location]
        help "let a service use it (`.client(…)`), or take it out of the `backing` of the platform"
    /// Two clients of one backing service.
    ClientTwice { service: &'static str, backing: &'static str, first: SourceLocation, second: SourceLocation }
        "{service} has two clients of {backing}"
        ["first" => first, "again" => second]
        help "a service has one login at {backing}, and declares it once with all that it does there: merge them"
    /// A broker's or cache's client that does nothing.
    ClientIdle { service: &'static str, backing: &'static str, location: SourceLocation }
        "{service} is a client of {backing} and does nothing there"
        ["the client" => location]
        help "say what it does, or remove the client"
    /// A handle of one server used with another's client.
    ForeignHandle { service: &'static str, backing: &'static str, what: String, owner: &'static str, location: SourceLocation }
        "{service} uses {what} of {owner} through its client of {backing}"
        ["the client" => location]
        help "use it through a client of {owner}"
    /// A command that is none.
    CommandRefused { service: &'static str, backing: &'static str, command: String, rule: &'static str, location: SourceLocation }
        "{service} sends {command} to {backing}, which is no command as an ACL writes it"
        ["the client" => location]
        help "{rule}; make it with `keys(…)`, which checks that"
    /// A queue that nobody consumes.
    QueueNeverConsumed { queue: &'static str, by: String, user: SourceLocation, location: SourceLocation }
        "queue `{queue}` is filled but never consumed"
        ["filled by {by}" => user, "the queue" => location]
        help "let a service consume it (`consumes(…)`), or say who does: `.consumed_externally(\"by whom\")`"
    /// A queue that nobody fills.
    QueueNeverFilled { queue: &'static str, by: String, user: SourceLocation, location: SourceLocation }
        "queue `{queue}` is consumed but never filled"
        ["consumed by {by}" => user, "the queue" => location]
        help "let a service publish to it (`publishes(…)`), or say who does: `.published_externally(\"by whom\")`"
    /// A queue used twice in one way.
    QueueUseTwice { service: &'static str, queue: &'static str, how: &'static str, location: SourceLocation }
        "{service} {how} queue `{queue}` twice"
        ["the client" => location]
        help "say it once"
    /// A queue called like the one for dead letters of another.
    QueueOfDeadLetters { queue: &'static str, suffix: &'static str, location: SourceLocation }
        "queue `{queue}` is called like one for dead letters"
        ["the queue" => location]
        help "every queue has one of its own, called `<queue>{suffix}`: give this one a name that ends otherwise"
    /// A queue and an exchange of one name.
    QueueIsExchange { name: &'static str, broker: &'static str, queue: SourceLocation, exchange: SourceLocation }
        "a queue and an exchange of {broker} are both called `{name}`"
        ["the queue" => queue, "the exchange" => exchange]
        help "RabbitMQ's permissions do not tell them apart, so who may use one could use the other: rename one of them"
    /// A queue, exchange or database declared twice.
    DeclaredTwice { what: &'static str, name: &'static str, server: &'static str, first: SourceLocation, second: SourceLocation }
        "{what} `{name}` of {server} is declared twice"
        ["first" => first, "again" => second]
        help "declare it once, as a constant, and refer to that"
    /// A database with two owners.
    DatabaseOwnedTwice { database: &'static str, one: &'static str, other: &'static str, first: SourceLocation, second: SourceLocation }
        "database `{database}` has two owners"
        ["{one}" => first, "{other}" => second]
        help "who owns a database decides its tables alone: give {other} a database of its own, or let it ask {one}"
    /// Two clients of a cache that cannot log in.
    AnonymousTwice { backing: &'static str, one: &'static str, other: &'static str, first: SourceLocation, second: SourceLocation }
        "{one} and {other} both use {backing} without logging in"
        ["{one}" => first, "{other}" => second]
        help "they would share the server's default user and so each other's rights: give one a login, or a cache of its own"

    /// A journey whose runs cannot be told apart.
    JourneyUnmarked { what: &'static str, marker: &'static str, location: SourceLocation }
        "the tests' journey could not be told from another one: {what} has no `{marker}`"
        ["declared" => location]
        help "write `{marker}` where a text of one's own may stand: each run puts another one there"
    /// A statement for what a journey leaves that is no deletion.
    JourneyDeletesNothing { statement: &'static str, location: SourceLocation }
        "what the tests' journey leaves is removed by `{statement}`, which deletes no rows"
        ["declared" => location]
        help "write one `DELETE FROM … WHERE …`: how many rows it deleted is what the test looks at"
    /// A journey that leaves something where nobody can remove it.
    JourneyForgetsNowhere { database: &'static str, location: SourceLocation, declared: SourceLocation }
        "the tests' journey leaves something in database `{database}`, which no service owns"
        ["the journey" => location, "the database" => declared]
        help "what it leaves is removed under the login of the service that owns the database (`owns(…)`): name that database"

    /// Two environments of one name.
    EnvironmentTwice { name: &'static str, first: SourceLocation, second: SourceLocation }
        "there are two environments called `{name}`"
        ["first" => first, "again" => second]
        help "each is an overlay file of its own: rename or merge them"
    /// An environment that changes one thing twice.
    ChangedTwice { environment: &'static str, what: String, location: SourceLocation }
        "environment `{environment}` changes {what} twice"
        ["declared" => location]
        help "keep one of the two"
    /// An environment that changes what is not there.
    NothingToChange { environment: &'static str, what: String, why: String, location: SourceLocation }
        "environment `{environment}` changes {what}, but {why}"
        ["declared" => location]
        help "declare it at the service first, or remove the change"
    /// An environment's value out of bounds.
    ChangeRefused { environment: &'static str, what: String, value: u16, allowed: &'static str, location: SourceLocation }
        "environment `{environment}` sets {what} to {value}"
        ["declared" => location]
        help "{allowed}"
    /// A number of pods that autoscaling decides.
    ReplicasUnused { environment: &'static str, service: &'static str, location: SourceLocation }
        "environment `{environment}` sets the replicas of {service} and lets autoscaling decide them"
        ["declared" => location]
        help "keep one of `replicas(…)` and `autoscaled(…)`"
    /// A tag of an image that a digest decides.
    TagUnused { environment: &'static str, service: &'static str, tag: &'static str, location: SourceLocation }
        "environment `{environment}` sets the image tag of {service} to `{tag}`, but its image is pinned to a digest"
        ["declared" => location]
        help "what is pulled is what the digest says: remove the change, or declare the image without `.digest(…)`"
    /// Two services at one port of the nodes.
    NodePortTwice { environment: &'static str, port: u16, one: &'static str, other: &'static str, location: SourceLocation }
        "environment `{environment}` exposes both {one} and {other} at node port {port}"
        ["declared" => location]
        help "a port of the nodes leads to one service: give one of them another"

    /// A text that cannot be shown where it must be.
    TextRefused { what: String, why: &'static str, location: SourceLocation }
        "the {what} {why}"
        ["declared" => location]
        help "write it as one line of plain text"
    /// A value that no environment variable can hold.
    ValueRefused { of: String, variable: &'static str, why: &'static str, location: SourceLocation }
        "variable `{variable}` of {of} has a value that {why}"
        ["declared" => location]
        help "an environment variable holds any text without NUL, up to 128 KiB with its name: encode or shorten the value"
}
