//! The routes of a real API behind Entra ID, SierraSoftworks/rex: three versions of ideas, collections
//! of them that users share, and the users. Its table and its shapes, with endpoints of our own.
//!
//! Its rule for all of them is "an administrator or a user": that is `REQUIRED_ROLES`, and the rows
//! have what differs. Each item belongs to a caller's `oid`, or to a collection of which the caller is
//! a member.

use crate::http::*;
use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::str::FromStr;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

/// The `REQUIRED_ROLES` for this table.
pub const REQUIRED_ROLES: &str = "Administrator,User";

const ANY_ROLE: Needs = Needs::Any(&[Role("Administrator"), Role("User")]);
const READ_IDEAS: Needs = Needs::All(&[Scope("Ideas.Read")]);
const WRITE_IDEAS: Needs = Needs::All(&[Scope("Ideas.Write")]);
const READ_COLLECTIONS: Needs = Needs::All(&[Scope("Collections.Read")]);
const WRITE_COLLECTIONS: Needs = Needs::All(&[Scope("Collections.Write")]);
const WRITE_MEMBERS: Needs = Needs::All(&[Scope("RoleAssignments.Write")]);

/// The routes.
#[rustfmt::skip]
pub const ROUTES: &[Route] = &[
    Route::open("GET /api/v1/health", health),
    Route::open("GET /api/v2/health", health),

    Route::protected("GET /api/v3/collections", READ_COLLECTIONS, collections),
    Route::protected("POST /api/v3/collections", WRITE_COLLECTIONS, new_collection),
    Route::protected("GET /api/v3/collection/{collection}", READ_COLLECTIONS, collection),
    Route::protected("PUT /api/v3/collection/{collection}", WRITE_COLLECTIONS, store_collection),
    Route::protected("DELETE /api/v3/collection/{collection}", WRITE_COLLECTIONS, remove_collection),

    Route::protected("GET /api/v3/collection/{collection}/users", WRITE_MEMBERS, members),
    Route::protected("GET /api/v3/collection/{collection}/user/{user}", WRITE_MEMBERS, member),
    Route::protected("PUT /api/v3/collection/{collection}/user/{user}", WRITE_MEMBERS, store_member),
    Route::protected("DELETE /api/v3/collection/{collection}/user/{user}", WRITE_MEMBERS, remove_member),

    Route::protected("GET /api/v1/ideas", READ_IDEAS, own_ideas),
    Route::protected("POST /api/v1/ideas", WRITE_IDEAS, new_own_idea),
    Route::protected("GET /api/v1/idea/random", READ_IDEAS, random_own_idea),
    Route::protected("GET /api/v1/idea/{id}", READ_IDEAS, own_idea),
    Route::protected("PUT /api/v1/idea/{id}", WRITE_IDEAS, store_own_idea),
    Route::protected("DELETE /api/v1/idea/{id}", WRITE_IDEAS, remove_own_idea),

    Route::protected("GET /api/v2/ideas", READ_IDEAS, own_ideas),
    Route::protected("POST /api/v2/ideas", WRITE_IDEAS, new_own_idea),
    Route::protected("GET /api/v2/idea/random", READ_IDEAS, random_own_idea),
    Route::protected("GET /api/v2/idea/{id}", READ_IDEAS, own_idea),
    Route::protected("PUT /api/v2/idea/{id}", WRITE_IDEAS, store_own_idea),
    Route::protected("DELETE /api/v2/idea/{id}", WRITE_IDEAS, remove_own_idea),

    Route::protected("GET /api/v3/ideas", READ_IDEAS, own_ideas),
    Route::protected("POST /api/v3/ideas", WRITE_IDEAS, new_own_idea),
    Route::protected("GET /api/v3/idea/random", READ_IDEAS, random_own_idea),
    Route::protected("GET /api/v3/idea/{id}", READ_IDEAS, own_idea),
    Route::protected("PUT /api/v3/idea/{id}", WRITE_IDEAS, store_own_idea),
    Route::protected("DELETE /api/v3/idea/{id}", WRITE_IDEAS, remove_own_idea),

    Route::protected("GET /api/v3/collection/{collection}/ideas", READ_IDEAS, shared_ideas),
    Route::protected("POST /api/v3/collection/{collection}/ideas", WRITE_IDEAS, new_shared_idea),
    Route::protected("GET /api/v3/collection/{collection}/idea/random", READ_IDEAS, random_shared_idea),
    Route::protected("GET /api/v3/collection/{collection}/idea/{id}", READ_IDEAS, shared_idea),
    Route::protected("PUT /api/v3/collection/{collection}/idea/{id}", WRITE_IDEAS, store_shared_idea),
    Route::protected("DELETE /api/v3/collection/{collection}/idea/{id}", WRITE_IDEAS, remove_shared_idea),

    Route::protected("GET /api/v3/user/{user}", ANY_ROLE, user),
];

/// A GUID, with its dashes or without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Id(u128);

/// The rights of a member, by rising might.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Viewer,
    Contributor,
    Owner,
}

struct Idea {
    name: String,
    description: String,
    tags: Vec<String>,
    is_completed: bool,
}

#[derive(Default)]
struct Store {
    last_id: u128,
    names: BTreeMap<Id, String>,
    members: BTreeMap<(Id, Id), Part>,
    ideas: BTreeMap<(Id, Id), Idea>,
}

static STORE: LazyLock<Mutex<Store>> = LazyLock::new(Mutex::default);

fn health(request: &Request) -> Reply {
    let health = match version(request) {
        1 => json!({ "ok": true }),
        _ => json!({ "ok": true, "startedAt": "1970-01-01T00:00:00Z" }),
    };
    Ok(Response::json(200, health))
}

// ---- collections ----

fn collections(_: &Request, claims: &Claims) -> Reply {
    let (caller, store) = (caller(claims)?, store());
    let own = store.members.keys().filter(|(_, user)| *user == caller);
    let own = own.filter_map(|(id, _)| store.collection(*id));
    Ok(Response::json(200, Value::from_iter(own)))
}

fn new_collection(request: &Request, claims: &Claims) -> Reply {
    let name = text(&request.json()?, "name")?;
    let (caller, mut store) = (caller(claims)?, store());
    let id = store.new_id();
    store.names.insert(id, name);
    store.members.insert((id, caller), Part::Owner);
    let location = format!("/api/v3/collection/{id}");
    Ok(Response::json(201, store.collection(id).unwrap_or_default()).with("Location", location))
}

fn collection(request: &Request, claims: &Claims) -> Reply {
    let (id, store) = (request.param("collection")?, store());
    store.must_be(id, claims, Part::Viewer)?;
    found(store.collection(id))
}

fn store_collection(request: &Request, claims: &Claims) -> Reply {
    let name = text(&request.json()?, "name")?;
    let (id, mut store) = (request.param("collection")?, store());
    store.must_be(id, claims, Part::Owner)?;
    store.names.insert(id, name);
    found(store.collection(id))
}

fn remove_collection(request: &Request, claims: &Claims) -> Reply {
    let (id, mut store) = (request.param("collection")?, store());
    store.must_be(id, claims, Part::Owner)?;
    store.names.remove(&id);
    store.members.retain(|(collection, _), _| *collection != id);
    store.ideas.retain(|(collection, _), _| *collection != id);
    Ok(Response::empty(204))
}

// ---- members of a collection ----

fn members(request: &Request, claims: &Claims) -> Reply {
    let (id, store) = (request.param("collection")?, store());
    store.must_be(id, claims, Part::Owner)?;
    let members = store.members.iter();
    let members = members.filter(|((collection, _), _)| *collection == id);
    let members = members.map(|((collection, user), part)| part.json(*collection, *user));
    Ok(Response::json(200, Value::from_iter(members)))
}

fn member(request: &Request, claims: &Claims) -> Reply {
    let (id, user, store) = (
        request.param("collection")?,
        request.param("user")?,
        store(),
    );
    if caller(claims)? != user {
        store.must_be(id, claims, Part::Owner)?;
    }
    found(
        store
            .members
            .get(&(id, user))
            .map(|part| part.json(id, user)),
    )
}

fn store_member(request: &Request, claims: &Claims) -> Reply {
    let part: Part = text(&request.json()?, "role")?.parse()?;
    let (id, user, mut store) = (
        request.param("collection")?,
        request.param("user")?,
        store(),
    );
    store.must_be(id, claims, Part::Owner)?;
    store.members.insert((id, user), part);
    Ok(Response::json(200, part.json(id, user)))
}

fn remove_member(request: &Request, claims: &Claims) -> Reply {
    let (id, user, mut store) = (
        request.param("collection")?,
        request.param("user")?,
        store(),
    );
    store.must_be(id, claims, Part::Owner)?;
    if caller(claims)? == user {
        let words = "An owner cannot leave the collection";
        return Err(Response::error(400, "bad_request", words));
    }
    store.members.remove(&(id, user));
    Ok(Response::empty(204))
}

// ---- ideas: the caller's own, and those of a collection ----

fn own_ideas(request: &Request, claims: &Claims) -> Reply {
    ideas(request, caller(claims)?)
}

fn new_own_idea(request: &Request, claims: &Claims) -> Reply {
    new_idea(request, caller(claims)?)
}

fn random_own_idea(request: &Request, claims: &Claims) -> Reply {
    random_idea(request, caller(claims)?)
}

fn own_idea(request: &Request, claims: &Claims) -> Reply {
    idea(request, caller(claims)?)
}

fn store_own_idea(request: &Request, claims: &Claims) -> Reply {
    store_idea(request, caller(claims)?)
}

fn remove_own_idea(request: &Request, claims: &Claims) -> Reply {
    remove_idea(request, caller(claims)?)
}

fn shared_ideas(request: &Request, claims: &Claims) -> Reply {
    ideas(request, shared(request, claims, Part::Viewer)?)
}

fn new_shared_idea(request: &Request, claims: &Claims) -> Reply {
    new_idea(request, shared(request, claims, Part::Contributor)?)
}

fn random_shared_idea(request: &Request, claims: &Claims) -> Reply {
    random_idea(request, shared(request, claims, Part::Viewer)?)
}

fn shared_idea(request: &Request, claims: &Claims) -> Reply {
    idea(request, shared(request, claims, Part::Viewer)?)
}

fn store_shared_idea(request: &Request, claims: &Claims) -> Reply {
    store_idea(request, shared(request, claims, Part::Contributor)?)
}

fn remove_shared_idea(request: &Request, claims: &Claims) -> Reply {
    remove_idea(request, shared(request, claims, Part::Contributor)?)
}

fn ideas(request: &Request, collection: Id) -> Reply {
    let tag: Option<String> = request.query("tag")?;
    let completed: Option<bool> = request.query("complete")?;
    let store = store();
    let ideas = store
        .ideas
        .range((collection, Id(0))..=(collection, Id(u128::MAX)));
    let ideas = ideas.filter(|(_, idea)| {
        completed.is_none_or(|completed| completed == idea.is_completed)
            && tag.as_ref().is_none_or(|tag| idea.tags.contains(tag))
    });
    let ideas = ideas.map(|((_, id), idea)| idea.json(request, collection, *id));
    Ok(Response::json(200, Value::from_iter(ideas)))
}

fn new_idea(request: &Request, collection: Id) -> Reply {
    let (idea, mut store) = (Idea::read(request)?, store());
    let id = store.new_id();
    let response = Response::json(201, idea.json(request, collection, id));
    store.ideas.insert((collection, id), idea);
    let base = request.path().trim_end_matches("ideas");
    Ok(response.with("Location", format!("{base}idea/{id}")))
}

/// Any one of them that fits the filters.
fn random_idea(request: &Request, collection: Id) -> Reply {
    let store = store();
    let mut ideas = store
        .ideas
        .range((collection, Id(0))..=(collection, Id(u128::MAX)));
    found(
        ideas
            .next()
            .map(|((_, id), idea)| idea.json(request, collection, *id)),
    )
}

fn idea(request: &Request, collection: Id) -> Reply {
    let (id, store) = (request.param("id")?, store());
    let idea = store.ideas.get(&(collection, id));
    found(idea.map(|idea| idea.json(request, collection, id)))
}

fn store_idea(request: &Request, collection: Id) -> Reply {
    let (id, idea) = (request.param("id")?, Idea::read(request)?);
    let response = Response::json(200, idea.json(request, collection, id));
    store().ideas.insert((collection, id), idea);
    Ok(response)
}

fn remove_idea(request: &Request, collection: Id) -> Reply {
    let idea = store().ideas.remove(&(collection, request.param("id")?));
    found(idea.map(|_| json!({}))).map(|_| Response::empty(204))
}

// ---- users ----

fn user(request: &Request, _: &Claims) -> Reply {
    let id: Id = request.param("user")?;
    let store = store();
    let is_known = store.members.keys().any(|(_, user)| *user == id);
    found(is_known.then(|| json!({ "id": id.to_string() })))
}

// ---- what they share ----

fn caller(claims: &Claims) -> Result<Id, Response> {
    let oid = claims.text("oid").and_then(|oid| oid.parse().ok());
    let words = "The token's oid is no GUID";
    oid.ok_or_else(|| Response::error(403, "no_caller", words))
}

/// The collection in the path, of which the caller has to be such a member.
fn shared(request: &Request, claims: &Claims, part: Part) -> Result<Id, Response> {
    let id = request.param("collection")?;
    store().must_be(id, claims, part)?;
    Ok(id)
}

fn found(value: Option<Value>) -> Reply {
    let words = "There is no such thing";
    let value = value.ok_or_else(|| Response::error(404, "not_found", words))?;
    Ok(Response::json(200, value))
}

fn text(body: &Value, name: &str) -> Result<String, Response> {
    let text = body[name].as_str().filter(|text| !text.is_empty());
    let words = || format!("The body needs a text {name}");
    let text = text.ok_or_else(|| Response::error(400, "bad_request", words()))?;
    Ok(text.into())
}

/// The version of the API, which its paths begin with.
fn version(request: &Request) -> u8 {
    let digit = request.path().strip_prefix("/api/v");
    digit.map_or(0, |rest| rest.bytes().next().unwrap_or_default() - b'0')
}

fn store() -> MutexGuard<'static, Store> {
    STORE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store {
    fn new_id(&mut self) -> Id {
        self.last_id += 1;
        Id(self.last_id)
    }

    fn collection(&self, id: Id) -> Option<Value> {
        let name = self.names.get(&id)?;
        Some(json!({ "id": id.to_string(), "name": name }))
    }

    /// A collection of which the caller is no member is as good as none.
    fn must_be(&self, collection: Id, claims: &Claims, part: Part) -> Result<(), Response> {
        match self.members.get(&(collection, caller(claims)?)) {
            None => found(None).map(drop),
            Some(own) if *own < part => {
                let words = format!("This takes a member who is {part:?}");
                Err(Response::error(403, "not_allowed", words))
            }
            Some(_) => Ok(()),
        }
    }
}

impl Idea {
    fn read(request: &Request) -> Result<Idea, Response> {
        let body = request.json()?;
        let tags = body["tags"].as_array().into_iter().flatten();
        let tags = tags.filter_map(|tag| Some(tag.as_str()?.to_owned()));
        Ok(Idea {
            name: text(&body, "name")?,
            description: text(&body, "description")?,
            tags: tags.collect(),
            is_completed: body["completed"].as_bool().unwrap_or(false),
        })
    }

    fn json(&self, request: &Request, collection: Id, id: Id) -> Value {
        let mut idea =
            json!({ "id": id.to_string(), "name": self.name, "description": self.description });
        if version(request) >= 2 {
            idea["tags"] = json!(self.tags);
            idea["completed"] = json!(self.is_completed);
        }
        if version(request) >= 3 {
            idea["collection"] = json!(collection.to_string());
        }
        idea
    }
}

impl Part {
    fn json(self, collection: Id, user: Id) -> Value {
        let (collection, user) = (collection.to_string(), user.to_string());
        json!({ "collectionId": collection, "userId": user, "role": format!("{self:?}") })
    }
}

impl FromStr for Part {
    type Err = Response;

    fn from_str(text: &str) -> Result<Part, Response> {
        let parts = [Part::Viewer, Part::Contributor, Part::Owner];
        let part = parts.into_iter().find(|part| format!("{part:?}") == text);
        let words = "A role is Viewer, Contributor or Owner";
        part.ok_or_else(|| Response::error(400, "bad_request", words))
    }
}

impl FromStr for Id {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Id, Self::Err> {
        u128::from_str_radix(&text.replace('-', ""), 16).map(Id)
    }
}

impl Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}
