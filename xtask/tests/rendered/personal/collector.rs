//! A Collector on this machine with a configuration that Helm rendered. It sends to the test instead of to a backend.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use serde_json::json;
use serde_yaml::Value;
use tempfile::TempDir;
use tools::Tool;

/// The time from the start to a record or a span that was sent. A test usually takes four seconds.
const ARRIVES: Duration = Duration::from_secs(40);

/// The folder of the kubelet with the logs of Pods, in whose place the Collector reads a folder of the test.
const POD_LOGS: &str = "/var/log/pods";

pub(super) struct Collector {
    program: Child,
    /// The port that takes OTLP.
    port: u16,
    /// What the Collector sends, as OTLP in JSON.
    sent: Receiver<String>,
    folder: TempDir,
}

impl Collector {
    /// Starts the Collector with the configuration of a chart. Only what it listens on and sends to is another, and it does not wait for more spans.
    pub(super) fn start(configuration: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let (port, health) = (free_port(), free_port());
        let (sink, sent) = sink();
        let text = configuration.replace(POD_LOGS, root.join("pods").as_str());
        let mut tree: Value = serde_yaml::from_str(&text).expect("the configuration is YAML");
        tree["extensions"]["health_check"]["endpoint"] = format!("127.0.0.1:{health}").into();
        if let Some(storage) = tree["extensions"].get_mut("file_storage") {
            storage["directory"] = root.as_str().into();
            storage["compaction"]["directory"] = root.as_str().into();
        }
        if let Some(otlp) = tree["receivers"].get_mut("otlp") {
            otlp["protocols"]["http"]["endpoint"] = format!("127.0.0.1:{port}").into();
        }
        if let Some(sampling) = tree["processors"].get_mut("tail_sampling") {
            sampling["decision_wait"] = "1s".into();
        }
        let exporter =
            json!({ "endpoint": format!("http://127.0.0.1:{sink}"), "encoding": "json", "compression": "none" });
        tree["exporters"] = serde_yaml::to_value(json!({ "otlp_http": exporter })).expect("YAML");
        for (_, pipeline) in tree["service"]["pipelines"].as_mapping_mut().expect("pipelines") {
            pipeline["exporters"] = serde_yaml::to_value(["otlp_http"]).expect("YAML");
        }
        let file = root.join("config.yaml");
        std::fs::write(&file, generator::yaml::write(&tree)).expect("it can be written");
        let mut command = Tool::Collector.ensure().expect("the Collector").command();
        command.args(["--config", file.as_str()]).env("NODE_NAME", "node-1");
        let log = std::fs::File::create(root.join("collector.log")).expect("a file");
        let program = command.stdout(Stdio::null()).stderr(log).spawn().expect("the Collector starts");
        Self { program, port, sent, folder }
    }

    /// Writes lines to the log of a container, as the container runtime does.
    pub(super) fn log(&self, pod: &str, lines: &[&str]) {
        let folder = self.folder.path().join(format!("pods/{pod}/main"));
        std::fs::create_dir_all(&folder).expect("a folder");
        let line = |line: &&str| format!("2026-11-28T12:00:00.000000001Z stdout F {line}\n");
        let lines = lines.iter().map(line).collect::<Vec<_>>().concat();
        std::fs::write(folder.join("0.log"), lines).expect("it can be written");
    }

    /// Sends spans, as soon as the Collector listens.
    pub(super) fn post(&mut self, spans: &str) {
        let request = format!(
            "POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{spans}",
            spans.len()
        );
        let began = Instant::now();
        let mut stream = loop {
            match TcpStream::connect(("127.0.0.1", self.port)) {
                Ok(stream) => break stream,
                Err(error) => self.wait(began, &format!("no connection: {error}")),
            }
        };
        stream.write_all(request.as_bytes()).expect("it takes the request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// Everything that the Collector has sent when this text is in it.
    pub(super) fn sent_until(&mut self, text: &str) -> String {
        let (began, mut all) = (Instant::now(), String::new());
        while !all.contains(text) {
            match self.sent.try_recv() {
                Ok(request) => all.push_str(&request),
                Err(_) => self.wait(began, &format!("`{text}` was not sent, but: {all}")),
            }
        }
        all
    }

    /// Waits for a moment, and fails if the Collector has ended or too much time has passed.
    fn wait(&mut self, began: Instant, lacking: &str) {
        let log = || std::fs::read_to_string(self.folder.path().join("collector.log")).unwrap_or_default();
        assert!(self.program.try_wait().expect("its state").is_none(), "the Collector has ended:\n{}", log());
        assert!(began.elapsed() < ARRIVES, "{lacking}\n{}", log());
        thread::sleep(Duration::from_millis(50));
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").port()
}

/// A server that takes everything: its port, and the bodies of the requests.
fn sink() -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let sender = sender.clone();
            thread::spawn(move || {
                while let Some(body) = request(&stream) {
                    // The test that reads it may have ended.
                    let _ = sender.send(body);
                }
            });
        }
    });
    (port, receiver)
}

/// Reads a request of a connection and answers it; `None` at the end.
fn request(mut stream: &TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}").ok()?;
    String::from_utf8(body).ok()
}
