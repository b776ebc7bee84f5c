"""Actions that are known and not executed yet: whoever uses one is told so.

A row gives the name, the rulesets in which it is usable (req, res, after: http-request, http-response,
http-after-response; conn, sess, content, rescontent: the TCP rulesets; quic) and an example.
"""

from evener.haproxy.action import declare_planned_actions

declare_planned_actions(
    """
attach-srv sess: attach-srv be/srv
dgram-drop quic: dgram-drop
do-resolve(*) req,content: do-resolve(txn.ip,dns) hdr(host)
send-retry quic: send-retry
send-spoe-group req,res,content,rescontent: send-spoe-group engine group
wait-for-handshake req: wait-for-handshake
""",
    "Known, and not executed yet.",
)
