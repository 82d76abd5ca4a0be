//! What runs. Every Pod of the chart, of a Deployment, a StatefulSet or a Job, is a [`Pod`]: one builder decides its security, its token and its
//! scheduling.

pub(crate) mod parts;
mod pod;
pub(crate) mod scripts;
pub(crate) mod server;

pub(crate) use pod::{
    Container, ContainerImage, EnvVar, FurtherOfContainer, FurtherOfPod, Mount, Noted, Pod, RestartPolicy, Scope,
    Volume,
};
