//! The cache: Valkey, named after the protocol that its clients use.

use vocabulary::Valkey;

pub(crate) const REDIS: Valkey = Valkey::named("redis");
