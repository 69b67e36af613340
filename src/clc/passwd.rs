//! Users and groups.

use super::found::Found;
use super::piece::{Map, Part, Piece};
use super::read::{Kind, Section};

/// What a user can have, and `create` before it was given up.
const ACCOUNT: [(&str, Kind); 9] = [
    ("uid", Kind::Int),
    ("gecos", Kind::Text),
    ("home_dir", Kind::Text),
    ("no_create_home", Kind::Bool),
    ("primary_group", Kind::Text),
    ("groups", Kind::Texts),
    ("no_user_group", Kind::Bool),
    ("no_log_init", Kind::Bool),
    ("shell", Kind::Text),
];

/// `passwd:`
pub(super) fn translate(root: &mut Section<'_>, found: &mut Found) -> Part {
    let mut map = Map::default();
    let Some(mut section) = root.section("passwd", found) else {
        return (map, None);
    };
    let from = section.origin("users");
    let users = section.sections("users", found);
    let users = users.into_iter().map(|it| user(it, found)).collect();
    map.list("users", users, from);
    let from = section.origin("groups");
    let groups = section.sections("groups", found);
    let groups = groups.into_iter().map(|it| group(it, found)).collect();
    map.list("groups", groups, from);
    let from = section.place();
    section.finish(found);
    (map, Some(from))
}

fn user(mut section: Section<'_>, found: &mut Found) -> Piece {
    let mut map = Map::default();
    map.put("name", section.required("name", found));
    let fields = [
        ("password_hash", Kind::AnyText),
        ("ssh_authorized_keys", Kind::Texts),
    ];
    section.copy(&fields, &mut map, found);
    section.copy(&ACCOUNT, &mut map, found);
    section.copy(&[("system", Kind::Bool)], &mut map, found);
    if let Some(create) = section.section("create", found) {
        move_up(create, &mut map, found);
    }
    let from = Some(section.place());
    section.finish(found);
    Piece {
        value: map.into(),
        from,
    }
}

/// The fields of `create` are the user's own now.
fn move_up(mut create: Section<'_>, user: &mut Map, found: &mut Found) {
    let mut fields = Map::default();
    create.copy(&ACCOUNT, &mut fields, found);
    create.copy(&[("system", Kind::Bool)], &mut fields, found);
    for (name, piece) in fields.entries {
        if user.get(name).is_some() {
            let at = piece.from.map_or_else(|| create.at(), |from| from.value);
            found.error(
                at,
                format!("`{name}` is given to the user and in `create`"),
                "remove it here: Butane has no `create`, its fields are the user's",
            );
        } else {
            user.entries.push((name, piece));
        }
    }
    create.finish(found);
}

fn group(mut section: Section<'_>, found: &mut Found) -> Piece {
    let mut map = Map::default();
    map.put("name", section.required("name", found));
    let fields = [
        ("gid", Kind::Int),
        ("password_hash", Kind::Text),
        ("system", Kind::Bool),
    ];
    section.copy(&fields, &mut map, found);
    let from = Some(section.place());
    section.finish(found);
    Piece {
        value: map.into(),
        from,
    }
}
