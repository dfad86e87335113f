//! The judge of a case: its settings, its keys, a clock that stands still.

use crate::vector::Vector;
use entra_handler::{
    Case, Claims, Context, KeySet, KeySets, Needs, Permission, Rejection, Settings, TokenCache,
    decide,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Everything that a decision takes besides the token.
pub(crate) struct Judge {
    pub(crate) settings: Settings,
    pub(crate) keys: KeySets,
    pub(crate) needs: Needs,
    pub(crate) now: f64,
}

impl Judge {
    /// The usual settings and keys after the changes of a line.
    pub(crate) fn of(line: Value) -> Judge {
        let vector = Vector::of(line);
        Judge::with(&vector, &vector.settings())
    }

    pub(crate) fn usual() -> Judge {
        Judge::of(json!({}))
    }

    pub(crate) fn with(vector: &Vector, settings: &BTreeMap<String, String>) -> Judge {
        let settings = Settings::read(|name| settings.get(name).cloned());
        let settings = settings.unwrap_or_else(|problems| panic!("{}: {problems:?}", vector.name));
        let sets = vector.key_sets().into_iter();
        let sets = sets.map(|set| KeySet::parse(set?).ok()).collect();
        let needs = vector.get("needs").map_or(Needs::Token, needs);
        let now = vector.now();
        Judge {
            settings,
            keys: KeySets::new(sets),
            needs,
            now,
        }
    }

    pub(crate) fn context(&self) -> Context<'_> {
        Context {
            settings: &self.settings,
            keys: &self.keys,
            needs: &self.needs,
            now: self.now,
        }
    }

    pub(crate) fn case<'a>(&'a self, token: &'a str) -> Case<'a> {
        Case::new(token, &self.context())
    }

    pub(crate) fn decide(&self, token: &str) -> Result<Claims, Rejection> {
        self.decide_with(&mut TokenCache::default(), token)
    }

    pub(crate) fn decide_with(
        &self,
        cache: &mut TokenCache,
        token: &str,
    ) -> Result<Claims, Rejection> {
        decide(&mut self.case(token), cache)
    }

    /// `accepted`, or check and reason.
    pub(crate) fn outcome(&self, token: &str) -> String {
        outcome(&self.decide(token))
    }
}

/// The needs of a route, `{"any": ["scope Items.Read", "role Editor"]}` or `all`.
fn needs(value: &Value) -> Needs {
    let permission = |text: &Value| {
        let (kind, name) = text
            .as_str()
            .expect("a text")
            .split_once(' ')
            .expect("a kind");
        let name: &'static str = name.to_owned().leak();
        if kind == "scope" {
            Permission::Scope(name)
        } else {
            Permission::Role(name)
        }
    };
    let all = |list: &Value| {
        let list = list.as_array().expect("a list").iter();
        &*list.map(permission).collect::<Vec<_>>().leak()
    };
    match value.get("any") {
        Some(list) => Needs::Any(all(list)),
        None => Needs::All(all(&value["all"])),
    }
}

/// `accepted`, or check and reason, as the lines of the vectors have it.
pub(crate) fn outcome(decided: &Result<Claims, Rejection>) -> String {
    match decided {
        Ok(_) => "accepted".into(),
        Err(rejection) => format!("{} {}", rejection.check, variant(rejection)),
    }
}

fn variant(rejection: &Rejection) -> String {
    let shown = format!("{:?}", rejection.reason);
    let end = shown.find(|char: char| !char.is_alphanumeric());
    shown[..end.unwrap_or(shown.len())].to_owned()
}

/// A token with the changes of a line.
pub(crate) fn token(line: Value) -> String {
    let vector = Vector::of(line);
    vector.token(vector.now())
}
