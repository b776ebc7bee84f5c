"""What answers instead of a server: the statistics page and the exporter of metrics.

A service is a policy that replies. It runs in a worker, but what it shows is known to the control process,
which has the fleet and all counters: the worker asks (``enquiry``) and sends what it is told.
"""
