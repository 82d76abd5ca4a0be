//! Every credential of a platform: those of the services, from the access graph, and those of the servers' administrators.

use vocabulary::VariableName;

use crate::access::{Access, CredentialAt};
use crate::backing::administrator;
use crate::context::Context;
use crate::text::value;

/// A credential, with what there is to say of it wherever all are listed.
pub(crate) struct Credential<'a> {
    pub(crate) at: CredentialAt<'a>,
    /// What it is for, as a sentence.
    pub(crate) doc: &'a str,
    /// The variable that a service gets it in; an administrator's has none.
    pub(crate) variable: Option<VariableName>,
}

impl Credential<'_> {
    /// Whether whose it is is installed, as an expression of the umbrella's templates; a server always is.
    pub(crate) fn enabled(&self) -> Option<String> {
        self.variable.map(|_| value(&[self.at.owner, "enabled"]))
    }
}

/// All of them: the services' in the order of their declaration, then the administrators'.
pub(crate) fn all<'a>(c: &Context<'a>, access: &'a Access) -> Vec<Credential<'a>> {
    let declared = c.platform.platform();
    let of_services = declared.services.iter().flat_map(|service| {
        access.credentials_of(service.name).map(|credential| Credential {
            at: credential.at(),
            doc: &credential.doc,
            variable: Some(credential.variable.name),
        })
    });
    let administrators = declared.backing.iter().map(|server| {
        let administrator = administrator(server.kind());
        Credential { at: administrator.at(server.name().as_str()), doc: administrator.doc, variable: None }
    });
    of_services.chain(administrators).collect()
}
