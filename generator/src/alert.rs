//! Alerts: Prometheus rules that follow from the graph, each with what a person does about it.

use crate::names::{BACKUP, EXPORTER};

/// The alerts of a component.
#[derive(Default)]
pub(crate) struct Alerts {
    pub(crate) rules: Vec<Alert>,
    /// Its queues, if it is a broker.
    pub(crate) queues: Vec<QueueFacts>,
}

/// A queue with the services that consume it.
pub(crate) struct QueueFacts {
    pub(crate) name: &'static str,
    pub(crate) consumers: Vec<&'static str>,
}

/// A rule. Its texts contain the words [`OWN`], [`QUEUE`] and [`CONSUMERS`], and those of its `values`.
pub(crate) struct Alert {
    /// Its name, severity and runbook, which the rules of all components share.
    pub(crate) about: &'static Runbook,
    /// What there is a rule for.
    pub(crate) each: Each,
    /// The `PromQL` expression.
    pub(crate) expr: String,
    /// How long it must hold.
    pub(crate) wait: &'static str,
    /// Labels besides `severity`, `namespace`, `release` and `component`.
    pub(crate) labels: Vec<(&'static str, String)>,
    /// What a person reads first: what is wrong, in one line. It may contain Prometheus templates.
    pub(crate) summary: String,
    /// Series with which the alert fires or stays silent; empty if it always fires.
    pub(crate) samples: Vec<Sample>,
    /// Further series, for branches of the expression that `samples` do not reach.
    pub(crate) scenes: Vec<Scene>,
    /// Words in the expression that stand for values of the chart.
    pub(crate) values: Vec<ValueWord>,
    /// What must be switched on for the component.
    pub(crate) needs: Needs,
}

/// What must be switched on for a component, besides the alerts, so that the series of an alert exist.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing: the component itself reports them.
    Nothing,
    /// Its exporter.
    Exporter,
    /// Its exporter and its backups.
    Backups,
    /// Its exporter, its backups and their verification.
    Verification,
    /// The alerts from metrics of the cluster's own monitoring.
    ClusterMetrics,
}

impl Needs {
    /// The sections of the component's values, or of the umbrella's for a rule about no component, as paths, whose `enabled` must be true.
    pub(crate) const fn sections(self) -> &'static [&'static str] {
        match self {
            Self::Nothing => &[],
            Self::Exporter => &[EXPORTER],
            Self::Backups => &[EXPORTER, BACKUP],
            Self::Verification => &[EXPORTER, BACKUP, "backup.verification"],
            Self::ClusterMetrics => &["global.alerts.clusterMetrics"],
        }
    }
}

/// What there is a rule for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Each {
    /// The component.
    Component,
    /// Each of its queues.
    Queue,
    /// Each of its queues that a running service consumes. Without one, the alert would never end.
    ConsumedQueue,
}

/// A word that stands for a value of the chart: a whole number, or a quantity such as `1Gi`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ValueWord {
    pub(crate) word: String,
    /// The path of the value.
    pub(crate) path: Vec<&'static str>,
    pub(crate) is_quantity: bool,
}

/// Values of a series, one each minute, in the notation of `promtool test rules`: for an hour in which something is wrong, and for one in which all is well.
pub(crate) struct Sample {
    pub(crate) series: String,
    pub(crate) broken: String,
    pub(crate) healthy: String,
}

/// A server that does not answer its exporter, whatever its kind.
pub(crate) const SERVER_DOWN: Runbook = Runbook {
    name: "ServerDown",
    severity: Severity::Critical,
    meaning: "The server does not answer its exporter, so services do not reach it either.",
    steps: &[
        "`kubectl get pods --namespace <namespace> --selector app.kubernetes.io/instance=<release>,app.kubernetes.io/name=<component>`: if the pod of the server is not Ready, read its events and its log.",
        "If it is Ready, read the log of `deployment/<release>-<component>-exporter`: it names what the server refuses. A refused login means that its password differs from the server's; see “Replace a credential” in README.md.",
    ],
    inhibits: &[],
};

/// Series with their values, one each minute, and whether an alert fires at the end.
pub(crate) struct Scene {
    pub(crate) fires: bool,
    /// Each series, and its values in the notation of `promtool test rules`.
    pub(crate) series: Vec<(String, &'static str)>,
}

/// What an alert means, and what to do.
pub(crate) struct Runbook {
    /// The alert's name. In lower case it is the anchor of the runbook in ALERTS.md.
    pub(crate) name: &'static str,
    pub(crate) severity: Severity,
    /// What it means for users, as sentences.
    pub(crate) meaning: &'static str,
    /// What to do, in order, as Markdown.
    pub(crate) steps: &'static [&'static str],
    /// The names of alerts that are not delivered while this one fires for the same queue.
    pub(crate) inhibits: &'static [&'static str],
}

/// The urgency of an alert.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    /// Now: a part of the platform does not do its work.
    Critical,
    /// In working hours: something was lost, or a fault is coming.
    Warning,
    /// No action: the alert shows that alerts are delivered.
    None,
}

impl Severity {
    /// The value of the label `severity`.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::None => "none",
        }
    }
}

/// What stands for the release's namespace and its name; the template replaces it.
pub(crate) const NAMESPACE: &str = "__NAMESPACE__";
pub(crate) const RELEASE: &str = "__RELEASE__";

/// What stands for the matchers that select the series of the component in the release.
///
/// Their labels are those that `podTargetLabels` of a `PodMonitor` and the usual `labelmap` of annotations give.
pub(crate) const OWN: &str = "__OWN__";

/// What stands for the name of a queue, and for those of the services that consume it.
pub(crate) const QUEUE: &str = "__QUEUE__";
pub(crate) const CONSUMERS: &str = "__CONSUMERS__";

/// The word that stands for a value of a component's chart, such as `__ORDERS_DB_VOLUME__`.
pub(crate) fn word(component: &str, what: &str) -> String {
    format!("__{}_{what}__", component.to_uppercase().replace('-', "_"))
}

/// A selector of the component's series of a metric, with further matchers such as `queue="orders"`.
pub(crate) fn series(metric: &str, matchers: &[String]) -> String {
    let all: Vec<&str> = std::iter::once(OWN).chain(matchers.iter().map(String::as_str)).collect();
    format!("{metric}{{{}}}", all.join(","))
}

/// An expression for the increase of a counter in a window, all its series together.
///
/// A program has a series without labels of its own from its start, and what it counts before the first scrape happens while the platform starts. A
/// series with labels appears with the first event, which `increase()` ignores, so a series counts from its first value then. A series that was there within
/// the hour before is no new one: Prometheus may have missed a scrape.
pub(crate) fn increase(selector: &str, window: &str, has_labels: bool) -> String {
    if has_labels {
        let known = format!("present_over_time({selector}[1h] offset {window})");
        format!("sum((increase({selector}[{window}]) and {known}) or ({selector} unless {known}))")
    } else {
        format!("sum(increase({selector}[{window}]))")
    }
}

impl Alert {
    /// A rule about the component, without further labels and samples.
    pub(crate) fn new(about: &'static Runbook, wait: &'static str, expr: String, summary: String) -> Self {
        Self {
            about,
            each: Each::Component,
            expr,
            wait,
            labels: Vec::new(),
            summary,
            samples: Vec::new(),
            scenes: Vec::new(),
            values: Vec::new(),
            needs: Needs::Nothing,
        }
    }

    /// Leaves the rule out unless this is switched on.
    pub(crate) fn needs(self, needs: Needs) -> Self {
        Self { needs, ..self }
    }

    /// Adds the values of a series with which it fires, and with which it does not.
    pub(crate) fn sample(mut self, series: &str, broken: impl Into<String>, healthy: impl Into<String>) -> Self {
        self.samples.push(Sample { series: series.to_owned(), broken: broken.into(), healthy: healthy.into() });
        self
    }

    /// Adds series with which it fires, too.
    pub(crate) fn also_fires(self, series: &[(&str, &'static str)]) -> Self {
        self.scene(true, series)
    }

    /// Adds series with which it stays silent.
    pub(crate) fn stays_silent(self, series: &[(&str, &'static str)]) -> Self {
        self.scene(false, series)
    }

    fn scene(mut self, fires: bool, series: &[(&str, &'static str)]) -> Self {
        let series = series.iter().map(|(series, values)| ((*series).to_owned(), *values)).collect();
        self.scenes.push(Scene { fires, series });
        self
    }

    /// Makes it a rule for each queue, with the label `queue`.
    pub(crate) fn each(self, each: Each) -> Self {
        Self { each, ..self.label("queue", QUEUE) }
    }

    /// Replaces a word in the expression by a value of the chart, which is a whole number.
    pub(crate) fn value(mut self, word: &str, path: &[&'static str]) -> Self {
        self.values.push(ValueWord { word: word.to_owned(), path: path.to_vec(), is_quantity: false });
        self
    }

    /// Replaces a word in the expression by a value of the chart, which is a quantity: by 1073741824 for `1Gi`, and by 0 for none.
    pub(crate) fn quantity(mut self, word: &str, path: &[&'static str]) -> Self {
        self.values.push(ValueWord { word: word.to_owned(), path: path.to_vec(), is_quantity: true });
        self
    }

    pub(crate) fn label(mut self, name: &'static str, value: &str) -> Self {
        self.labels.push((name, value.to_owned()));
        self
    }
}
