//! Each channel against a server that checks requests as strictly as the service documents it, and answers its documented errors.
#![allow(clippy::unwrap_used, reason = "in tests, a panic is the report")]

mod samples;
mod smtp_server;
mod snapshot;
mod vendor;

mod alertmanager;
mod discord;
mod exec;
mod googlechat;
mod gotify;
mod jsm;
mod mail;
mod mailgun;
mod matrix;
mod mattermost;
mod ntfy;
mod pagerduty;
mod pushover;
mod rocketchat;
mod slack;
mod teams;
mod telegram;
mod twilio;
mod webhook;
