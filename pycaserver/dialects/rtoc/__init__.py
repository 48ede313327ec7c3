"""RTOC's WebSocket protocol, on PVs.

mapping     which signal, action and plugin stands for which PVs: the tables of the settings
cipher      the password's hash, and AES-CBC
payload     one message, encoded once for all who get it
signals     the signals: PVs of the mapping, and those that peers make
events      what happened, as RTOC lists it
automation  comparisons that make events, and events that start actions
station     all of it, shared by all sessions
answer      the one answer to a request
readings    what peers ask to be told
orders      what they give and take away
controls    what they use: plugins, logger, actions, automations
requests    the table of keys
session     one peer
"""
