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
    /// A platform without a service.
    NoService { platform: String, place: Place }
        "platform `{platform}` has no service"
        ["declared" => place]
        help "declare one, and list it in `services`"
    /// One declaration listed twice.
    ListedTwice { what: &'static str, name: &'static str, list: &'static str, place: Place }
        "the platform lists {what} `{name}` twice"
        ["declared" => place]
        help "take one of the two out of `{list}`"
    /// Two charts of one name.
    ChartTwice { name: &'static str, first: Place, second: Place }
        "two services or backing services are called `{name}`"
        ["first" => first, "again" => second]
        help "each is a chart of its own and a key in the values: rename one of them"
    /// A chart's name that means something else in the values, to Helm or to a backing service.
    NameReserved { name: &'static str, what: &'static str, meaning: &'static str, place: Place }
        "`{name}` cannot be the name of a {what}: it is {meaning}"
        ["declared" => place]
        help "choose another name"
    /// A chart whose objects would have the names of another chart's.
    NameTaken { name: &'static str, other: &'static str, suffix: &'static str, place: Place, first: Place }
        "`{name}` is also what {other} calls an object of its own, with `-{suffix}` behind its name"
        ["{name}" => place, "{other}" => first]
        help "two objects of one kind cannot have one name: rename one of the two"
    /// A name that the cluster would not take.
    NameTooLong { name: &'static str, of: &'static str, length: usize, limit: usize, release: usize, place: Place }
        "`{name}` is too long: {of} would have {length} characters, {limit} are allowed"
        ["declared" => place]
        help "a release's name of {release} characters (`longest_release_name`) and a dash stand before it: shorten one of the two"
    /// A length of release names that no release can have.
    ReleaseNameLength { declared: usize, longest: usize, place: Place }
        "the longest release name is declared as {declared} characters"
        ["declared" => place]
        help "Helm takes names of 1 to {longest} characters; 20 leave room for names of 22 behind them"

    /// One port listed twice.
    PortTwice { service: &'static str, port: &'static str, number: u16, first: Place, second: Place }
        "{service} lists port `{port}` ({number}) twice"
        ["first" => first, "again" => second]
        help "declare it once, as a constant, and list that once"
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
    /// A port without a number.
    PortZero { service: &'static str, port: &'static str, place: Place }
        "port `{port}` of {service} has the number 0"
        ["declared" => place]
        help "give it the number that the program listens on, 1 to 65535"
    /// A port that the service does not list.
    PortNotListed { service: &'static str, port: &'static str, number: u16, by: String, place: Place, declared: Place }
        "{by} refers to port `{port}` ({number}), which {service} does not list"
        ["the reference" => place, "the port" => declared]
        help "add it to the `ports` of {service}, or refer to one that is there"
    /// A port of the wrong protocol.
    PortNotHttp { service: &'static str, port: &'static str, by: String, speaks: &'static str, place: Place, declared: Place }
        "{by} needs HTTP, but port `{port}` of {service} {speaks}"
        ["the reference" => place, "the port" => declared]
        help "refer to a `Port::http`"

    /// A liveness probe that follows a dependency.
    LivenessFollowsDependency { service: &'static str, path: String, dependencies: String, port: String, route: Place, place: Place }
        "liveness probe of {service} asks `{path}`, which fails while {dependencies} is away"
        ["{service}" => place, "the route" => route]
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
    /// A user of a container that Kubernetes does not take.
    UserTooLarge { service: &'static str, user: u32, largest: u32, place: Place }
        "{service} runs as user {user}, which Kubernetes does not take"
        ["{service}" => place]
        help "leave `user` out, or give a number up to {largest}"
    /// Bounds of autoscaling that hold nothing.
    ScalingRefused { service: &'static str, why: String, place: Place }
        "{service} scales {why}"
        ["{service}" => place]
        help "use `Scaling::horizontal(min, max, cpu_percent)`: at least one pod, not more at the least than at the most, 1 to 100 percent"

    /// A variable set twice.
    VariableTwice { service: &'static str, variables: String, first: Place, second: Place }
        "{service} sets {variables} twice"
        ["first" => first, "again" => second]
        help "a variable has one value: remove it here or there, or let the program read another"
    /// A variable that Kubernetes sets itself.
    VariableReserved { service: &'static str, variable: &'static str, place: Place }
        "{service} sets variable `{variable}`, which Kubernetes sets in every pod to the address of its API"
        ["declared" => place]
        help "let the program read another"
    /// Two variables with one key in the values.
    KeyTwice { service: &'static str, key: String, one: String, other: String, first: Place, second: Place }
        "{one} and {other} of {service} would both be `{key}` in the values"
        ["{one}" => first, "{other}" => second]
        help "a variable's key in the values is its name in camelCase without underscores: rename one of them"
    /// A default or a value that its own setting refuses.
    SettingRefuses { what: &'static str, variable: &'static str, service: &'static str, at: String, value: String, allowed: String, place: Place }
        "the {what} of setting `{variable}` of {service}{at} is {value}, which is not {allowed}"
        ["declared" => place]
        help "use a value that the setting allows, or widen the setting"
    /// A setting that no value fits.
    SettingAllowsNothing { service: &'static str, variable: &'static str, why: String, place: Place }
        "no value fits setting `{variable}` of {service}: {why}"
        ["declared" => place]
        help "state what it may be; the default is one of that"
    /// A bound that does not arrive as it is.
    IntegerTooWide { service: &'static str, variable: &'static str, bound: i64, largest: i64, place: Place }
        "setting `{variable}` of {service} goes as far as {bound}, and numbers of the values are exact up to {largest} (2⁵³ − 1) only"
        ["declared" => place]
        help "state the largest number that makes sense, or declare it as a text"
    /// One option of a choice said twice.
    OptionTwice { service: &'static str, variable: &'static str, option: String, place: Place }
        "setting `{variable}` of {service} has option {option} twice"
        ["declared" => place]
        help "say it once"
    /// A password written for libpq that goes elsewhere.
    LibpqElsewhere { service: &'static str, variable: &'static str, product: &'static str, place: Place }
        "{service} reads its password for {product} from `{variable}` as a value of a libpq connection string, which only PostgreSQL has"
        ["the client" => place]
        help "use `plain(\"{variable}\")`"

    /// A limit below the request.
    LimitBelowRequest { of: &'static str, what: &'static str, request: String, limit: String, place: Place }
        "{of} asks for `{request}` of {what} and is limited to `{limit}`"
        ["declared" => place]
        help "a limit is never below the request: raise it"
    /// An amount of nothing.
    AmountZero { of: String, what: &'static str, amount: String, place: Place }
        "{of} is given `{amount}` of {what}, which is nothing"
        ["declared" => place]
        help "state how much it needs"
    /// Less than a byte.
    AmountFraction { of: String, what: &'static str, amount: String, how: &'static str, number: String, place: Place }
        "{of} is given `{amount}` of {what}, which is {how}"
        ["declared" => place]
        help "mebibytes are `{number}Mi`"
    /// Processor time in bytes.
    AmountOfBytes { of: String, amount: String, place: Place }
        "{of} is given `{amount}` of processor time, which is an amount of bytes"
        ["declared" => place]
        help "processor time is in cores (`2`, `0.5`) or thousandths of one (`500m`)"
    /// Processor time and memory exchanged.
    ResourcesSwapped { of: &'static str, cpu: String, memory: String, place: Place }
        "{of} is given `{cpu}` of processor time and `{memory}` of memory, which is the wrong way round"
        ["declared" => place]
        help "processor time stands first: `Resources::new(cpu(…), memory(…))`"

    /// Two writable folders of which one holds the other.
    FolderTwice { service: &'static str, outer: String, inner: String, how: &'static str, first: Place, second: Place }
        "{service} writes to `{outer}` and to `{inner}`, which {how}"
        ["{outer}" => first, "{inner}" => second]
        help "one volume is enough: keep the outer one"
    /// A writable folder that is somebody else's.
    FolderReserved { service: &'static str, path: String, owner: &'static str, place: Place }
        "{service} cannot write to `{path}`: that is {owner}"
        ["declared" => place]
        help "let the program write elsewhere"
    /// Two writable folders whose volumes would have one name.
    VolumeTwice { service: &'static str, one: String, other: String, volume: String, first: Place, second: Place }
        "the volumes of `{one}` and `{other}` of {service} would both be called `{volume}`"
        ["{one}" => first, "{other}" => second]
        help "a volume is called as its folder, in lower case and with dashes: declare one folder that holds both"
    /// A writable folder whose volume cannot have a name.
    VolumeRefused { service: &'static str, path: String, why: String, place: Place }
        "the volume of `{path}` of {service} would {why}"
        ["declared" => place]
        help "a volume is called as its folder, in lower case and with dashes: declare a folder that holds this one, or another"

    /// A rule at the Kubernetes API that says nothing.
    ApiRuleEmpty { service: &'static str, lacks: &'static str, place: Place }
        "a rule of {service} at the Kubernetes API names no {lacks}"
        ["declared" => place]
        help "name exactly the kinds and verbs that the program needs, or remove the rule"
    /// A rule at the Kubernetes API that says everything.
    ApiRuleTooWide { service: &'static str, word: String, place: Place }
        "a rule of {service} at the Kubernetes API says {word}, which is more than anybody can say yes to"
        ["declared" => place]
        help "name exactly the kinds, verbs and objects that the program needs"
    /// A word that the Kubernetes API does not have.
    ApiWordUnknown { service: &'static str, what: &'static str, word: String, rule: &'static str, place: Place }
        "a rule of {service} at the Kubernetes API says {word}, which is no {what}"
        ["declared" => place]
        help "{rule}"
    /// A verb that cannot be narrowed to objects by name.
    ApiVerbNarrowed { service: &'static str, verb: &'static str, place: Place }
        "a rule of {service} narrows `{verb}` by name, which the Kubernetes API does not do"
        ["declared" => place]
        help "take `{verb}` out; if the program needs it, give it a rule of its own without `.only(…)`"

    /// A service that calls itself.
    CallsItself { service: &'static str, place: Place }
        "{service} calls itself"
        ["the call" => place]
        help "a pod reaches itself on localhost: remove the call"
    /// Two calls to one port.
    CalledTwice { service: &'static str, callee: &'static str, port: &'static str, first: Place, second: Place }
        "{service} calls port `{port}` of {callee} twice"
        ["first" => first, "again" => second]
        help "one call is enough: it is the address that is declared, not the routes"
    /// A call to a port that is for monitoring.
    CalledForMetrics { service: &'static str, callee: &'static str, port: &'static str, place: Place, declared: Place }
        "{service} calls port `{port}` of {callee}, which is for the monitoring alone"
        ["the call" => place, "the port" => declared]
        help "call a `Port::http` or `Port::tcp` of {callee}; if services use that port as well, declare it as one of these"
    /// A reference to a service that is not listed.
    ServiceNotListed { service: &'static str, by: String, place: Place }
        "{by} refers to service `{service}`, which the platform does not list"
        ["the reference" => place]
        help "add it to the `services` of the platform, or remove the reference"

    /// A reference to a backing service that is not listed.
    BackingNotListed { backing: &'static str, what: &'static str, by: String, place: Place }
        "{by} refers to {what} `{backing}`, which the platform does not list"
        ["the reference" => place]
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
        help "a service has one login at {backing}, and declares it once with all that it does there: merge them"
    /// A broker's or cache's client that does nothing.
    ClientIdle { service: &'static str, backing: &'static str, place: Place }
        "{service} is a client of {backing} and does nothing there"
        ["the client" => place]
        help "say what it does, or remove the client"
    /// A handle of one server used with another's client.
    ForeignHandle { service: &'static str, backing: &'static str, what: String, owner: &'static str, place: Place }
        "{service} uses {what} of {owner} through its client of {backing}"
        ["the client" => place]
        help "use it through a client of {owner}"
    /// A command that is none.
    CommandRefused { service: &'static str, backing: &'static str, command: String, rule: &'static str, place: Place }
        "{service} sends {command} to {backing}, which is no command as an ACL writes it"
        ["the client" => place]
        help "{rule}; make it with `keys(…)`, which checks that"
    /// A queue that nobody consumes.
    QueueNeverConsumed { queue: &'static str, by: String, user: Place, place: Place }
        "queue `{queue}` is filled but never consumed"
        ["filled by {by}" => user, "the queue" => place]
        help "let a service consume it (`consumes(…)`), or say who does: `.emptied_from_outside(\"by whom\")`"
    /// A queue that nobody fills.
    QueueNeverFilled { queue: &'static str, by: String, user: Place, place: Place }
        "queue `{queue}` is consumed but never filled"
        ["consumed by {by}" => user, "the queue" => place]
        help "let a service publish to it (`publishes(…)`), or say who does: `.filled_from_outside(\"by whom\")`"
    /// A queue used twice in one way.
    QueueUseTwice { service: &'static str, queue: &'static str, how: &'static str, place: Place }
        "{service} {how} queue `{queue}` twice"
        ["the client" => place]
        help "say it once"
    /// A queue called like the one for dead letters of another.
    QueueOfDeadLetters { queue: &'static str, suffix: &'static str, place: Place }
        "queue `{queue}` is called like one for dead letters"
        ["the queue" => place]
        help "every queue has one of its own, called `<queue>{suffix}`: give this one a name that ends otherwise"
    /// A queue and an exchange of one name.
    QueueIsExchange { name: &'static str, broker: &'static str, queue: Place, exchange: Place }
        "a queue and an exchange of {broker} are both called `{name}`"
        ["the queue" => queue, "the exchange" => exchange]
        help "RabbitMQ's permissions do not tell them apart, so who may use one could use the other: rename one of them"
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
    /// Two clients of a cache that cannot log in.
    AnonymousTwice { backing: &'static str, one: &'static str, other: &'static str, first: Place, second: Place }
        "{one} and {other} both use {backing} without logging in"
        ["{one}" => first, "{other}" => second]
        help "they would share the server's default user and so each other's rights: give one a login, or a cache of its own"

    /// A journey whose runs cannot be told apart.
    JourneyUnmarked { what: &'static str, marker: &'static str, place: Place }
        "the tests' journey could not be told from another one: {what} has no `{marker}`"
        ["declared" => place]
        help "write `{marker}` where a text of one's own may stand: each run puts another one there"
    /// A statement for what a journey leaves that is no deletion.
    JourneyDeletesNothing { statement: &'static str, place: Place }
        "what the tests' journey leaves is removed by `{statement}`, which deletes no rows"
        ["declared" => place]
        help "write one `DELETE FROM … WHERE …`: how many rows it deleted is what the test looks at"
    /// A journey that leaves something where nobody can remove it.
    JourneyForgetsNowhere { database: &'static str, place: Place, declared: Place }
        "the tests' journey leaves something in database `{database}`, which no service owns"
        ["the journey" => place, "the database" => declared]
        help "what it leaves is removed under the login of the service that owns the database (`owns(…)`): name that database"

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
    ChangeRefused { environment: &'static str, what: String, value: u16, allowed: &'static str, place: Place }
        "environment `{environment}` sets {what} to {value}"
        ["declared" => place]
        help "{allowed}"
    /// A number of pods that autoscaling decides.
    ReplicasUnused { environment: &'static str, service: &'static str, place: Place }
        "environment `{environment}` sets the replicas of {service} and lets autoscaling decide them"
        ["declared" => place]
        help "keep one of `replicas(…)` and `autoscaled(…)`"
    /// A tag of an image that a digest decides.
    TagUnused { environment: &'static str, service: &'static str, tag: &'static str, place: Place }
        "environment `{environment}` sets the image tag of {service} to `{tag}`, but its image is pinned to a digest"
        ["declared" => place]
        help "what is pulled is what the digest says: remove the change, or declare the image without `.digest(…)`"
    /// Two services at one port of the nodes.
    NodePortTwice { environment: &'static str, port: u16, one: &'static str, other: &'static str, place: Place }
        "environment `{environment}` exposes both {one} and {other} at node port {port}"
        ["declared" => place]
        help "a port of the nodes leads to one service: give one of them another"

    /// A text that cannot be shown where it must be.
    TextRefused { what: String, why: &'static str, place: Place }
        "the {what} {why}"
        ["declared" => place]
        help "write it as one line of plain text"
    /// A value that no environment variable can hold.
    ValueRefused { of: String, variable: &'static str, why: &'static str, place: Place }
        "variable `{variable}` of {of} has a value that {why}"
        ["declared" => place]
        help "an environment variable holds any text without NUL, up to 128 KiB with its name: encode or shorten the value"
}
