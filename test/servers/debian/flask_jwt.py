"""flask-jwt-extended in one file: python3 flask_jwt.py DATABASE PORT LIFETIME KEY. Prints its port when it listens."""
import json
import logging
import sqlite3
import sys
from datetime import timedelta

from flask import Flask, jsonify
from flask_jwt_extended import (
    JWTManager,
    create_access_token,
    create_refresh_token,
    get_jti,
    get_jwt,
    get_jwt_identity,
    jwt_required,
)
from werkzeug.serving import make_server

database, port, lifetime, key = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
app = Flask(__name__)
app.config["JWT_SECRET_KEY"] = key
app.config["JWT_ACCESS_TOKEN_EXPIRES"] = timedelta(seconds=lifetime)
app.config["JWT_REFRESH_TOKEN_EXPIRES"] = timedelta(days=14)
jwt = JWTManager(app)


def query(statement, *values):
    with sqlite3.connect(database, timeout=20) as connection:
        return connection.execute(statement, values)


@jwt.token_in_blocklist_loader
def is_revoked(_header, payload):
    return query("SELECT 1 FROM blocklist WHERE jti = ?", payload["jti"]).fetchone() is not None


def refresh_token_for(identity):
    token = create_refresh_token(identity=identity)
    query("INSERT INTO issued VALUES (?)", get_jti(token))
    return token


@app.post("/login")
def login():
    return jsonify(access_token=create_access_token(identity="ada"), refresh_token=refresh_token_for("ada"))


@app.post("/refresh")
@jwt_required(refresh=True)
def refresh():
    """As its documentation has it."""
    return jsonify(access_token=create_access_token(identity=get_jwt_identity()))


@app.post("/rotate")
@jwt_required(refresh=True)
def rotate():
    """A used refresh token goes onto the blocklist. Of two requests with it at once, one finds it there."""
    used = query("INSERT OR IGNORE INTO blocklist VALUES (?)", get_jwt()["jti"])
    if used.rowcount == 0:
        return jsonify(msg="Token has been revoked"), 401
    identity = get_jwt_identity()
    return jsonify(access_token=create_access_token(identity=identity), refresh_token=refresh_token_for(identity))


@app.get("/me")
@jwt_required()
def me():
    return jsonify(sub=get_jwt_identity())


@app.post("/test/revoke")
def revoke_all():
    query("INSERT OR IGNORE INTO blocklist SELECT jti FROM issued")
    return jsonify()


query("CREATE TABLE IF NOT EXISTS issued (jti TEXT PRIMARY KEY)")
query("CREATE TABLE IF NOT EXISTS blocklist (jti TEXT PRIMARY KEY)")
logging.getLogger("werkzeug").disabled = True
server = make_server("127.0.0.1", port, app, threaded=True)
print(json.dumps({"port": server.server_port}), flush=True)
server.serve_forever()
