"""`manage.py up`: every process of the product on one machine, started, watched, restarted and stopped in
order.
"""
