"""Actions that are known and not executed yet: whoever uses one is told so.

A row gives the name, the rulesets in which it is usable (req, res, after: http-request, http-response,
http-after-response; conn, sess, content, rescontent: the TCP rulesets; quic) and an example.
"""

from evener.haproxy.action import declare_planned_actions

_EVERY = "req,res,after,conn,sess,content,rescontent"
_MARKS = "req,res,conn,sess,content,rescontent"

declare_planned_actions(
    f"""
add-headers-bin req,res,after: add-headers-bin str(x)
attach-srv sess: attach-srv be/srv
cache-store res: cache-store c
cache-use req: cache-use c
del-headers-bin req,res,after: del-headers-bin str(x)
dgram-drop quic: dgram-drop
disable-l7-retry req: disable-l7-retry
do-log req,res,after,conn,sess,content,rescontent: do-log
do-resolve(*) req,content: do-resolve(txn.ip,dns) hdr(host)
sc-add-gpc(*) {_EVERY}: sc-add-gpc(0,0) 1
sc-inc-gpc(*) {_EVERY}: sc-inc-gpc(0,0)
sc-inc-gpc0(*) {_EVERY}: sc-inc-gpc0(0)
sc-inc-gpc1(*) {_EVERY}: sc-inc-gpc1(0)
sc-set-gpt(*) {_EVERY}: sc-set-gpt(0,0) 1
sc-set-gpt0(*) {_EVERY}: sc-set-gpt0(0) 1
send-retry quic: send-retry
send-spoe-group req,res,content,rescontent: send-spoe-group engine group
set-bandwidth-limit req,res,content,rescontent: set-bandwidth-limit name
set-bc-mark req,content: set-bc-mark 1
set-bc-tos req,content: set-bc-tos 1
set-fc-mark {_MARKS}: set-fc-mark 1
set-fc-tos {_MARKS}: set-fc-tos 1
set-headers-bin req,res,after: set-headers-bin str(x)
set-mark {_MARKS}: set-mark 1
set-priority-class req,content: set-priority-class int(1)
set-priority-offset req,content: set-priority-offset int(1)
set-retries req,content: set-retries 2
set-timeout req,res: set-timeout server 5s
set-tos {_MARKS}: set-tos 1
track-sc req,res,conn,sess,content: track-sc0 src
use-service req,content: use-service prometheus-exporter
wait-for-handshake req: wait-for-handshake
""",
    "Known, and not executed yet.",
)
