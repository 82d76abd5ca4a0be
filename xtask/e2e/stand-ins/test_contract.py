"""Tests that the stand-ins keep the services' contract, including failures. `local_servers` starts real servers.

README.md says how to run the tests and what they need.
"""

import itertools
import json
import os
import re
import socket
import time
import unittest
import uuid

import redis

from contract import Case, file_event, login_event
from local_servers import eventually, free_port
from programs import http, metrics

NOTIFICATION_VARIABLES = (
    "RABBITMQ_HOST",
    "RABBITMQ_PORT",
    "RABBITMQ_USER",
    "RABBITMQ_PASS",
    "RABBITMQ_ALERT_QUEUE",
    "PG_HOST",
    "PG_PORT",
    "PG_DB",
    "PG_USER",
    "PG_PASSWORD",
    "SERVICE_NAME",
    "ENVIRONMENT",
    "LOG_LEVEL",
    "API_HOST",
    "API_PORT",
)
EVERY_EVENT = set(file_event()) - {"resource"}


class Environment(Case):
    def test_every_variable_of_notification_service_is_required(self):
        everything = self.notification_variables()
        started = {
            name: self.program("notification-service", {k: v for k, v in everything.items() if k != name})
            for name in NOTIFICATION_VARIABLES
        }
        self.assertEqual(set(everything), set(NOTIFICATION_VARIABLES))
        for name, program in started.items():
            self.assertEqual(program.wait(20), (1, f"cannot start: {name} is not set\n"))

    def test_required_variables_of_the_other_services(self):
        for service, names in {
            "audit-event-generator": ("RABBITMQ_HOST", "RABBITMQ_USER", "RABBITMQ_PASS"),
            "audit-log-analysis": ("RABBITMQ_HOST", "RABBITMQ_USER", "RABBITMQ_PASS", "REDIS_HOST"),
            "event-audit-dashboard": ("NOTIFICATION_SERVICE_HOST",),
        }.items():
            status, output = self.program(service, {}).wait(20)
            self.assertEqual((status, output), (1, "cannot start: " + "; ".join(f"{name} is not set" for name in names) + "\n"))

    def test_a_port_is_a_number(self):
        status, output = self.program("notification-service", self.notification_variables(PG_PORT="tcp://10.0.0.1:5432")).wait(20)
        self.assertEqual((status, output), (1, "cannot start: PG_PORT is not a whole number: 'tcp://10.0.0.1:5432'\n"))

    def test_ports_by_default(self):
        nowhere = {"RABBITMQ_HOST": "127.0.0.1", "RABBITMQ_USER": "x", "RABBITMQ_PASS": "x", "REDIS_HOST": "127.0.0.1"}
        generator = self.program("audit-event-generator", nowhere, 5000, 8000)
        analysis = self.program("audit-log-analysis", nowhere, 5001, 8001)
        self.assertEqual(http(5000, "/healthz")[0], 503)
        self.assertEqual(http(5001, "/healthz")[0], 503)
        self.ends_well(generator)
        self.ends_well(analysis)


class Generator(Case):
    def test_posted_events(self):
        program = self.generator()
        self.take("audit_events")  # the first generated event
        self.health(200)
        for body in (b"", b"no json", b"[]", b'{"user_id": "x"}'):
            self.assertEqual(http(self.http, "/generate_event", body)[0], 400)
        status, answer = http(
            self.http,
            "/generate_event",
            json.dumps(
                {"event_type": "file_modified", "action_result": "MODIFIED", "resource": "/etc/shadow", "server_hostname": "posted"}
            ).encode(),
        )
        self.assertEqual((status // 100, answer["status"]), (2, "success"))
        [(properties, event)] = self.take("audit_events")
        self.assertEqual(properties.delivery_mode, 2)
        self.assertEqual(event["event_id"], answer["event_id"])
        self.assertEqual(set(event), EVERY_EVENT | {"resource"})
        for port in (self.http, self.metrics):
            samples = metrics(port)
            sample = 'audit_event_generator_events_total{action_result="MODIFIED",event_type="file_modified",server_hostname="posted"}'
            self.assertEqual(samples[sample], 1)
            self.assertEqual(samples["audit_event_generator_published_success_total"], 2)
            self.assertEqual(samples["audit_event_generator_published_failure_total"], 0)
            self.assertEqual(samples["audit_event_generator_rabbitmq_connection_status"], 1)
        self.ends_well(program)

    def test_the_loop(self):
        self.generator(interval=1)
        began = time.monotonic()
        for _, event in self.take("audit_events", 4):
            self.assertEqual(set(event), EVERY_EVENT)
        self.assertGreater(time.monotonic() - began, 2)

    def test_events_are_dropped_while_the_broker_is_down(self):
        program = self.generator(interval=1)
        self.take("audit_events")
        self.servers.broker.stop()
        self.health(503, 5)
        eventually("drops counted", 5, lambda: metrics(self.metrics)["audit_event_generator_published_failure_total"] >= 2)
        self.assertEqual(metrics(self.metrics)["audit_event_generator_rabbitmq_connection_status"], 0)
        self.assertEqual(http(self.http, "/generate_event", b'{"event_type": "lost"}')[1]["status"], "success")
        self.servers.broker.start()
        self.health(200)
        self.assertNotIn("lost", [event["event_type"] for _, event in self.take("audit_events", 2)])
        self.ends_well(program)


class Analysis(Case):
    def alerts_of(self, *events):
        self.put("audit_events", *events)
        eventually("events consumed", 10, lambda: self.waiting("audit_events") == 0)
        return [alert["correlation_id"] for _, alert in self.take("audit_alerts", self.waiting("audit_alerts"))]

    def test_rules(self):
        program = self.analysis()
        self.health(200)
        user, other = str(uuid.uuid4()), str(uuid.uuid4())
        logins = [login_event(user) for _ in range(4)]
        self.assertEqual(self.alerts_of(*logins), [event["event_id"] for event in logins[2:]])
        self.assertEqual(self.alerts_of(*(login_event(other, host) for host in ("h1", "h2", "h1", "h2"))), [])
        self.assertEqual(self.alerts_of(*(login_event(user, "h3", "SUCCESS") for _ in range(4))), [])
        files = [file_event(path) for path in ("/etc/sudoers", "/root/.ssh/authorized_keys", "/etc/shadow", "/etc/passwd")]
        self.assertEqual(self.alerts_of(*files), [event["event_id"] for event in files])
        self.assertEqual(
            self.alerts_of(file_event("/etc/hosts"), file_event(action_result="READ"), file_event(event_type="sudo_command")), []
        )
        event = file_event()
        self.assertEqual(self.alerts_of(b"no json", b"[]", event), [event["event_id"]])
        for port in (self.http, self.metrics):
            samples = metrics(port)
            self.assertEqual(samples["audit_analysis_processed_total"], 20)
            self.assertEqual(samples["audit_analysis_rabbitmq_messages_consumed_total"], 22)
            self.assertEqual(
                samples[
                    f'audit_analysis_alerts_total{{alert_type="failed_login_burst",server_hostname="h1",severity="CRITICAL",user_id="{user}"}}'
                ],
                2,
            )
            self.assertEqual(samples["audit_analysis_rabbitmq_consumer_connection_status"], 1)
            self.assertEqual(samples["audit_analysis_redis_connection_status"], 1)
        self.ends_well(program)

    def test_an_alert(self):
        self.analysis()
        event = file_event()
        self.put("audit_events", event)
        [(properties, alert)] = self.take("audit_alerts")
        self.assertEqual(properties.delivery_mode, 2)
        self.assertEqual(
            {name: alert[name] for name in ("correlation_id", "alert_type", "severity", "source_service_name", "raw_event_data", "environment")},
            {
                "correlation_id": event["event_id"],
                "alert_type": "SECURITY",
                "severity": "CRITICAL",
                "source_service_name": "test",
                "raw_event_data": event,
                "environment": "DEVELOPMENT",
            },
        )
        self.assertLessEqual(
            {"alert_id", "timestamp", "alert_name", "description", "analysis_rule", "triggered_by", "impacted_resource"}, set(alert)
        )

    def test_commands_sent_to_the_cache(self):
        user = str(uuid.uuid4())
        observer = redis.Redis(port=self.servers.cache.port, username="observer", password="observer")
        self.addCleanup(observer.close)
        observer.acl_log_reset()
        with socket.create_connection(("127.0.0.1", self.servers.cache.port)) as monitor, monitor.makefile() as asked:
            monitor.sendall(b"AUTH observer observer\r\nMONITOR\r\n")
            self.assertEqual([asked.readline(), asked.readline()], ["+OK\n", "+OK\n"])
            self.analysis()
            self.alerts_of(*(login_event(user) for _ in range(3)))
            observer.echo("seen")
            # A line is: +time [database address] "COMMAND" "argument"…
            commands = [re.findall(r'"((?:[^"\\]|\\.)*)"', line) for line in itertools.takewhile(lambda line: '"seen"' not in line, asked)]
        # Ignore the commands that the observer's own client library sends on connecting.
        words = {" ".join(command[:2]) if command[0] == "CLIENT" else command[0] for command in commands}
        self.assertLessEqual({"PING", "MULTI", "ZADD", "ZREMRANGEBYSCORE", "ZCARD", "EXPIRE", "EXEC"}, words)
        self.assertLessEqual(words, {"PING", "MULTI", "ZADD", "ZREMRANGEBYSCORE", "ZCARD", "EXPIRE", "EXEC", "CLIENT SETINFO"})
        refused = [entry for entry in observer.acl_log() if not entry["object"].startswith("client|setinfo")]
        self.assertEqual(refused, [])
        self.assertEqual(observer.keys(f"*{user}*"), [f"failed_logins_zset:{user}:h1".encode()])

    def test_the_cache_restarts(self):
        self.analysis()
        self.health(200)
        self.servers.cache.stop()
        self.health(503)
        user = str(uuid.uuid4())
        self.put("audit_events", *(login_event(user) for _ in range(3)))
        time.sleep(3)
        self.assertEqual((self.waiting("audit_events"), self.waiting("audit_alerts")), (3, 0))
        self.assertEqual(metrics(self.metrics)["audit_analysis_redis_connection_status"], 0)
        self.servers.cache.start()
        self.take("audit_alerts")
        self.health(200)

    def test_it_starts_without_any_server(self):
        self.servers.broker.stop()
        self.servers.cache.stop()
        program = self.analysis()
        self.health(503)
        self.servers.cache.start()
        time.sleep(1)
        self.assertEqual(http(self.http, "/healthz")[0], 503)
        self.servers.broker.start()
        self.health(200)
        self.put("audit_events", file_event())
        self.take("audit_alerts")
        self.servers.broker.stop()
        self.health(503)
        self.assertEqual(metrics(self.metrics)["audit_analysis_rabbitmq_consumer_connection_status"], 0)
        self.servers.broker.start()
        self.health(200)
        self.put("audit_events", file_event())
        self.take("audit_alerts")
        self.ends_well(program)


class Dashboard(Case):
    def test_the_page(self):
        program = self.dashboard(free_port())
        program.listens(self.page)
        self.assertEqual(http(self.page, "/healthz")[0], 200)
        status, text = http(self.page, "/")
        self.assertEqual((status, "Error:" in text), (200, True))
        self.assertEqual(http(self.page, "/alert/x")[0], 200)
        self.ends_well(program)
        program = self.dashboard("tcp://10.0.0.1:8000")  # the variable that Kubernetes injects for a Service
        program.listens(self.page)
        self.assertIn("Error:", http(self.page, "/")[1])

    @unittest.skipUnless(os.geteuid() == 0, "needs a mount namespace")
    def test_it_needs_a_writable_tmp(self):
        mounts = 'for d in /tmp /var/tmp; do mount --bind $d $d && mount -o remount,bind,ro $d; done; cd /proc; exec "$@"'
        self.page = free_port()
        program = self.program(
            "event-audit-dashboard",
            {"NOTIFICATION_SERVICE_HOST": "127.0.0.1"},
            before=f"main.PORT = {self.page}",
            prefix=("unshare", "--mount", "sh", "-c", mounts, "-"),
        )
        status, output = program.wait(20)
        self.assertNotEqual(status, 0)
        self.assertIn("No usable temporary directory", output)


class Chain(Case):
    def test_three_failed_logins_become_an_alert_on_the_page(self):
        self.notification()
        notification = self.http
        self.analysis()
        self.health(200)
        self.generator()
        self.health(200)
        generator = self.http
        self.dashboard(notification).listens(self.page)
        user = f"mallory-{uuid.uuid4()}"
        self.assertNotIn(user, http(self.page, "/")[1])
        for _ in range(3):
            http(
                generator,
                "/generate_event",
                json.dumps({"event_type": "user_login", "action_result": "FAILURE", "user_id": user, "server_hostname": "web-1"}).encode(),
            )
        text = eventually("on the page", 3, lambda: user in (text := http(self.page, "/")[1]) and text)
        for word in ("Multiple Failed Login Attempts", "CRITICAL", "3 or more failed login attempts for user"):
            self.assertIn(word, text)
        alert = http(notification, "/alerts?limit=1")[1][0]
        self.assertIn(user, http(self.page, f"/alert/{alert['alert_id']}")[1])
        timeouts = dict(
            line.split()
            for line in self.servers.broker.control("list_connections", "user", "timeout").splitlines()
            if "observer" not in line
        )
        self.assertEqual(timeouts, {"generator": "60", "analysis": "60", "notification": "600"})


if __name__ == "__main__":
    unittest.main()
